// What a tower takes things for: a distribution over classes per object, most of it on the right one, much of the rest on
// one rival that stays the same, and flicker from tick to tick. So one look may be wrong and many looks are right.
// Pure; must not know slots, places or ticks.
import type { Dice } from "../../world/dice.ts";
import { things } from "../../world/vocabulary.ts";

/** Share of objects that the tower is unsure about, at amount 1. */
const unsure_share = 0.35;
/** Of the logits, per tick, at amount 1. */
const flicker = 0.7;

export interface OwnErrors {
  /** Errors that go with the object, in standard deviations. */
  x: number;
  y: number;
  size: number;
  /** P of each class, summing to `objectness`. More doubt (0 to 2): nearer to its rival. */
  draw(objectness: number, doubt: number): Float32Array;
}

const order = new Map(things.map(({ name }, at) => [name, at]));

export class Confusions {
  readonly #amount: number;
  readonly #dice: Dice;
  readonly #owns = new Map<number, OwnErrors>();

  constructor(amount: number, dice: Dice) {
    this.#amount = amount;
    this.#dice = dice;
  }

  of(id: number, name: string): OwnErrors {
    let own = this.#owns.get(id);
    if (!own) this.#owns.set(id, own = this.#make(order.get(name)!));
    return own;
  }

  #make(true_class: number): OwnErrors {
    const amount = this.#amount, dice = this.#dice;
    if (amount === 0) return { x: 0, y: 0, size: 0, draw: (objectness) => oneHot(true_class, objectness) };
    const sure = dice.chance(unsure_share * amount) ? dice.real(0.35, 0.8) : dice.real(0.8, 0.98);
    const rival = (true_class + dice.between(1, things.length - 1)) % things.length;
    // The rival never gets as much as the right one: the mode over time stays right.
    const rival_share = Math.min(dice.real(0.5, 0.95) * (1 - sure), sure * 0.85);
    const rest = (1 - sure - rival_share) / (things.length - 2);
    const draw = (objectness: number, doubt: number) => {
      const shares = new Float32Array(things.length);
      for (let one = 0; one < shares.length; one++) {
        shares[one] = rest * Math.exp(Math.abs(normal(dice)));
      }
      shares[true_class] = sure * Math.exp(amount * flicker * normal(dice) - doubt);
      shares[rival] = rival_share * Math.exp(amount * flicker * normal(dice));
      const sum = shares.reduce((total, share) => total + share, 0);
      return shares.map((share) => share / sum * objectness);
    };
    return { x: amount * normal(dice), y: amount * normal(dice), size: amount * normal(dice), draw };
  }
}

function oneHot(at: number, value: number): Float32Array {
  const shares = new Float32Array(things.length);
  shares[at] = value;
  return shares;
}

/** Standard normal, by Box and Muller. */
export function normal(dice: Dice): number {
  return Math.sqrt(-2 * Math.log(1 - dice.share())) * Math.cos(2 * Math.PI * dice.share());
}
