import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { Dice } from "../../world/dice.ts";
import type { Pose } from "../../world/tracks.ts";
import { things } from "../../world/vocabulary.ts";
import { inventCamera } from "./camera.ts";
import { inventLook } from "./looks.ts";
import type { PlacedThing, Scene } from "./scene.ts";
import { captionOf, writeTargets } from "./targets.ts";

const background = things.length;
const dice = new Dice(1, "targets");
const look = inventLook(dice);

function pose(x: number, y: number, size = 0.3): Pose {
  return { x, y, size, angle_deg: 0 };
}

function placed(
  thing: number,
  now: Pose | undefined,
  before: Pose | "same" | undefined = "same",
): PlacedThing {
  return { thing, style: "noto", look, now, before: before === "same" ? now : before };
}

function targetsOf(list: PlacedThing[], camera: Partial<Scene["camera"]> = {}) {
  const backdrop = { number: 0, flip_x: false, flip_y: false, channels: [0, 1, 2] as const };
  const cell_class = new Int32Array(36), cell_box = new Float32Array(36 * 8);
  const plain = { ...inventCamera(dice, false), black: false, black_before: false, ...camera };
  const scene: Scene = { things: list, still: false, backdrop, backdrop_before: backdrop, camera: plain };
  const truths = writeTargets(scene, 6, cell_class, cell_box);
  const box = (cell: number) =>
    [...cell_box.subarray(cell * 8, cell * 8 + 8)].map((value) => Math.round(value * 1e4) / 1e4);
  const others = (known: number[]) =>
    [...cell_class].filter((value, cell) => !known.includes(cell) && value !== background).length;
  return { cell_class, box, truths, others };
}

describe("targets", () => {
  it("stand in the cell of the centre, in the trainer's units", () => {
    // Column 2, row 1; the middle of that cell is (0.41667, 0.25).
    const { cell_class, box, others } = targetsOf([placed(5, pose(0.45, 0.25, 0.3), pose(0.35, 0.25, 0.25))]);
    expect(cell_class[8]).toBe(5);
    expect(others([8])).toBe(0);
    const growth = Math.round(Math.log(0.3 / 0.25) * 1e4) / 1e4, size = Math.round(Math.log(0.3) * 1e4) / 1e4;
    expect(box(8)).toEqual([0.2, 0, size, 0.1, 0, growth, 0, 1]);
  });

  it("ignore the neighbour when the centre is at the border", () => {
    const { cell_class, others } = targetsOf([placed(5, pose(2.05 / 6, 1.5 / 6))]);
    expect(cell_class[8]).toBe(5);
    expect(cell_class[7]).toBe(-1);
    expect(others([7, 8])).toBe(0);
    const corner = targetsOf([placed(5, pose(2.05 / 6, 1.95 / 6))]);
    expect([8, 7, 14, 13].map((cell) => corner.cell_class[cell])).toEqual([5, -1, -1, -1]);
  });

  it("clamp centres that are outside", () => {
    const { cell_class, box } = targetsOf([placed(3, pose(-0.05, 0.25, 0.4))]);
    expect(cell_class[6]).toBe(3);
    expect(box(6)[0]).toBe(-0.8);
    expect(box(6)[7]).toBe(0.375);
  });

  it("ask for nothing that can hardly be seen, and forbid it neither", () => {
    const hardly = targetsOf([placed(3, pose(-0.15, 0.25, 0.4))]);
    expect(hardly.cell_class[6]).toBe(-1);
    expect(hardly.truths).toMatchObject([{ unsure: true }]);
    const gone = targetsOf([placed(3, pose(-0.19, 0.25, 0.4)), placed(4, undefined, pose(0.5, 0.5))]);
    expect(gone.others([])).toBe(0);
    expect(gone.truths).toEqual([]);
  });

  it("give a cell to the one in front, and nothing to the covered one", () => {
    const { cell_class, truths } = targetsOf([
      placed(1, pose(0.4, 0.25, 0.3)),
      placed(2, pose(0.44, 0.25, 0.4)),
    ]);
    expect(cell_class[8]).toBe(2);
    expect(truths.map(({ thing, unsure }) => [thing, unsure])).toEqual([[1, true], [2, false]]);
    const beside = targetsOf([placed(1, pose(0.4, 0.25, 0.3)), placed(2, pose(0.6, 0.25, 0.3))]);
    expect([beside.cell_class[8], beside.cell_class[9]]).toEqual([1, 2]);
  });

  it("call new what could not be seen one tick ago", () => {
    const fresh = (before: Pose | undefined, camera = {}) =>
      targetsOf([{ ...placed(1, pose(0.4, 0.25)), before }], camera).box(8)[6];
    expect(fresh(undefined)).toBe(1);
    expect(fresh(pose(0.4, 0.25))).toBe(0);
    expect(fresh(pose(-0.1, 0.25))).toBe(1);
    expect(fresh(pose(0.4, 0.25), { black_before: true })).toBe(1);
  });

  it("are all background in the dark", () => {
    const { truths, others } = targetsOf([placed(1, pose(0.4, 0.25))], { black: true });
    expect(others([])).toBe(0);
    expect(truths).toEqual([]);
  });
});

describe("captions", () => {
  const number = (name: string) => things.findIndex((thing) => thing.name === name);
  const truth = (name: string, x: number, unsure = false) => ({
    thing: number(name),
    x,
    y: 0.5,
    size: 0.3,
    unsure,
  });

  it("count what there is, left to right", () => {
    expect(captionOf([])).toBe("nothing");
    expect(captionOf([truth("owl", 0.5)])).toBe("an owl");
    expect(captionOf([truth("cat", 0.6), truth("dog", 0.2), truth("cat", 0.9)])).toBe("a dog and two cats");
    expect(captionOf([truth("dog", 0.1), truth("bus", 0.5), truth("key", 0.7, true), truth("fish", 0.9)]))
      .toBe(
        "a dog, a bus and a fish",
      );
  });
});
