// Makes training pictures: pairs of square frames (one tick ago, now) with what they show. A pure function of the rules
// and the number, whatever was made before. Must not know targets, batches or files.
import { Dice } from "../../world/dice.ts";
import type { SpriteOf } from "../../world/renderer.ts";
import { things } from "../../world/vocabulary.ts";
import { BackdropStore } from "./backdrops.ts";
import { Darkroom } from "./camera.ts";
import { lay, Wardrobe } from "./dressing.ts";
import { checkRules, inventScene, type PlacedThing, type Scene, type SceneRules } from "./scene.ts";

export interface PictureRules extends SceneRules {
  /** A multiple of 16. */
  side_px: number;
}

export class PictureMaker {
  readonly #rules: PictureRules;
  readonly #spriteOf: SpriteOf;
  readonly #darkroom: Darkroom;
  readonly #wardrobe = new Wardrobe();
  readonly #backdrops: BackdropStore;
  readonly #before: Float32Array;
  readonly #now: Float32Array;

  constructor(rules: PictureRules, spriteOf: SpriteOf) {
    checkRules(rules);
    this.#rules = rules;
    this.#spriteOf = spriteOf;
    this.#backdrops = new BackdropStore(rules.seed, rules.side_px);
    this.#darkroom = new Darkroom(rules.side_px, new Dice(rules.seed, "grain"));
    this.#before = new Float32Array(rules.side_px ** 2 * 3);
    this.#now = new Float32Array(rules.side_px ** 2 * 3);
  }

  /** Bytes of a pair. */
  get pair_bytes(): number {
    return 2 * this.#now.length;
  }

  /** Writes uint8 RGB [2, side, side, 3] and tells what is on it. */
  make(index: number, out: Uint8Array): Scene {
    const scene = inventScene(this.#rules, index);
    const before = this.#before, now = this.#now;
    this.#backdrops.hang(scene.backdrop_before, before);
    if (!scene.still) this.#backdrops.hang(scene.backdrop, now);
    for (const thing of scene.things) this.#place(thing, scene);
    this.#darkroom.develop(before, scene.still ? undefined : now, scene.camera, out);
    return scene;
  }

  #place({ thing, style, look, before, now }: PlacedThing, { camera, still }: Scene): void {
    const side = this.#rules.side_px;
    const size = Math.max(before?.size ?? 0, now?.size ?? 0);
    const dressed = this.#wardrobe.dress(this.#spriteOf(style, things[thing]!.name), look, size * side);
    const put = (frame: Float32Array, pose: typeof now, [dx, dy]: readonly [number, number]) => {
      if (!pose) return;
      const at = { x: (pose.x + dx) * side, y: (pose.y + dy) * side, side: pose.size * side };
      lay(frame, side, dressed, look, at);
    };
    put(this.#before, before, camera.shake_before);
    if (!still) put(this.#now, now, camera.shake);
  }
}
