// Words for what a slot shows, read from its own numbers: the name of the likeliest class, or where it is. Learned at the
// vector itself, they tie classes and places to words long before lines and answers do. Pure; must not know scenes.
import { knots, slots_per_frame } from "../../vision/slots.ts";
import type { Dice } from "../../world/dice.ts";
import { things } from "../../world/vocabulary.ts";
import { slot_width } from "./simulate.ts";
import { nameToken, worldVocabulary } from "./vocabulary.ts";

/** How often the name is asked for, and how often the row or the column. */
const name_share = 0.5;

const columns = ["left", "middle", "right"], rows = ["top", "middle", "bottom"];
/** Behind the classes, their sum, and the triangles of x and y: nine places, row by row. */
const places_at = things.length + 1 + 2 * knots.length;

let tokens: { names: number[]; columns: number[]; rows: number[] } | undefined;

function wordTokens() {
  const tokenOf = (word: string) => worldVocabulary().encode(` ${word}`)[0]!;
  return tokens ??= {
    names: things.map(({ name }) => nameToken(name)),
    columns: columns.map(tokenOf),
    rows: rows.map(tokenOf),
  };
}

/** One for each slot but the last; undefined where there is no object. `slots`: those of one frame. */
export function shownWords(slots: Float32Array, dice: Dice): (number | undefined)[] {
  return Array.from({ length: slots_per_frame - 1 }, (_, slot) => {
    const row = slots.subarray(slot * slot_width, (slot + 1) * slot_width);
    const draw = dice.share();
    if (row[things.length]! === 0) return undefined;
    const words = wordTokens();
    if (draw < name_share) return words.names[largest(row.subarray(0, things.length))];
    const place = largest(row.subarray(places_at, places_at + 9));
    return draw < (1 + name_share) / 2 ? words.columns[place % 3] : words.rows[Math.floor(place / 3)];
  });
}

function largest(values: Float32Array): number {
  let best = 0;
  for (let at = 1; at < values.length; at++) if (values[at]! > values[best]!) best = at;
  return best;
}
