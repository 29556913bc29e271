// The thread that makes training pictures while the trainer works: `begin` with the rules, then runs of numbers. Must not
// know batches' order or training.
import { openSprites } from "../../world/sprite_store.ts";
import { makeRun, type PictureRun } from "./picture_batches.ts";
import { PictureMaker, type PictureRules } from "./pictures.ts";

export type PictureRequest =
  | { kind: "begin"; rules: PictureRules; art_dir: string }
  | { kind: "make"; first: number; count: number };

export type PictureReply = { run: PictureRun } | { failure: string };

let maker: PictureMaker | undefined, side_px = 0;

function answer(request: PictureRequest): PictureRun | undefined {
  if (request.kind === "begin") {
    ({ side_px } = request.rules);
    maker = new PictureMaker(request.rules, openSprites(request.art_dir));
    return undefined;
  }
  if (!maker) throw new Error("The worker was not told what to make");
  return makeRun(maker, side_px, request.first, request.count);
}

/** What a worker's scope has and a page's types do not tell. */
const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<PictureRequest>) => void;
  postMessage(reply: PictureReply, transfer?: Transferable[]): void;
};

scope.onmessage = ({ data }) => {
  try {
    const run = answer(data);
    if (run) scope.postMessage({ run }, [run.pixels.buffer, run.cell_class.buffer, run.cell_box.buffer]);
  } catch (error) {
    scope.postMessage({ failure: error instanceof Error ? error.message : String(error) });
  }
};
