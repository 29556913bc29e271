import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { eventsOf } from "./events.ts";
import { readScript, type Script } from "./script.ts";

type Path = [t_s: number, x: number, y: number, size?: number][];

function scene(paths: Record<string, Path>, changes: Record<string, unknown> = {}): Script {
  const objects = Object.entries(paths).map(([name, path], id) => ({
    id,
    name: name.replace(/\d$/, ""),
    keys: path.map(([t_s, x, y, size = 0.3]) => ({ t_s, x, y, size })),
  }));
  const read = readScript({
    ...{ format: "gander-scene", format_version: 1, seed: 1, duration_s: 20, style: "noto", objects },
    backgrounds: [{ kind: "plain", colours: [[90, 90, 90]] }],
    ...changes,
  });
  if ("problems" in read) throw new Error(read.problems.join("\n"));
  return read.script;
}

const told = (script: Script) =>
  eventsOf(script).map(({ kind, t_s, object, side, direction, other, count }) =>
    [kind, t_s.toFixed(1), object, side ?? direction ?? other ?? count].filter((part) => part !== undefined)
      .join(" ")
  );

describe("events", () => {
  it("come in over a border, stop, move, and go", () => {
    const dog: Path = [[2, -0.2, 0.5], [4, 0.4, 0.5], [8, 0.4, 0.5], [9, 0.4, 0.8], [12, 0.4, 0.8], [
      14,
      1.2,
      0.8,
    ], [
      15,
      1.3,
      0.8,
    ]];
    // Its right edge passes the border early; sixty per cent of it are inside when its centre is at 0.03.
    expect(told(scene({ dog }))).toEqual([
      "enter 2.8 dog left",
      "stop 4.0 dog",
      "move 8.3 dog down",
      "stop 9.0 dog",
      "move 12.3 dog right",
      "leave 13.5 dog right",
    ]);
  });

  it("appear, disappear, and take each other's place", () => {
    expect(told(scene({ cat: [[3, 0.5, 0.5], [7, 0.5, 0.5]] }))).toEqual([
      "appear 3.0 cat",
      "disappear 7.0 cat",
    ]);
    expect(told(scene({ cat: [[0, 0.5, 0.5], [7, 0.5, 0.5]], bus: [[7, 0.5, 0.5]] }))).toEqual([
      "replace 7.0 cat bus",
    ]);
    // Elsewhere at the same time it is two events.
    expect(told(scene({ cat: [[0, 0.2, 0.2], [7, 0.2, 0.2]], bus: [[7, 0.7, 0.7]] })).sort()).toEqual([
      "appear 7.0 bus",
      "disappear 7.0 cat",
    ]);
  });

  it("grow and shrink, by a quarter at least", () => {
    expect(
      told(scene({ owl: [[0, 0.5, 0.5, 0.2], [4, 0.5, 0.5, 0.2], [6, 0.5, 0.5, 0.3], [20, 0.5, 0.5, 0.3]] })),
    )
      .toEqual(["approach 4.3 owl"]);
    expect(
      told(
        scene({ owl: [[0, 0.5, 0.5, 0.3], [4, 0.5, 0.5, 0.3], [6, 0.5, 0.5, 0.28], [20, 0.5, 0.5, 0.28]] }),
      ),
    )
      .toEqual([]);
  });

  it("count what there are two or more of", () => {
    expect(told(scene({ pig1: [[0, 0.2, 0.5]], pig2: [[5, 0.7, 0.5], [9, 0.7, 0.5]] }))).toEqual([
      "appear 5.0 pig",
      "count 5.0 pig 2",
      "disappear 9.0 pig",
      "count 9.0 pig 1",
    ]);
  });

  it("cover each other: the later one in the script is in front", () => {
    const key: Path = [[0, 0.2, 0.5], [5, 0.2, 0.5], [7, 0.65, 0.5], [20, 0.65, 0.5]];
    expect(told(scene({ tree: [[0, 0.7, 0.5]], key }))).toContain("overlap 6.4 key tree");
  });

  it("grow dark and bright when the light changes by a quarter, not when it drifts", () => {
    const keys = (gain: number) => [{ t_s: 5, gain: 1 }, { t_s: 7, gain }, { t_s: 20, gain }];
    expect(told(scene({}, { light: keys(0.5) }))).toEqual(["darken 6.0"]);
    expect(told(scene({}, { light: keys(1.5) }))).toEqual(["brighten 6.0"]);
    expect(told(scene({}, { light: keys(0.9) }))).toEqual([]);
  });

  it("are seen when a frozen or black picture ends", () => {
    const nuisance = { black: [{ from_s: 2, until_s: 4 }], freezes: [{ from_s: 4, until_s: 6.5 }] };
    expect(told(scene({ cat: [[3, 0.5, 0.5]] }, { nuisance }))).toEqual(["appear 6.5 cat"]);
  });

  it("are nothing where nothing changes", () => {
    expect(told(scene({ cat: [[0, 0.5, 0.5]], dog: [[0, 0.2, 0.2], [20, 0.2, 0.2]] }))).toEqual([]);
  });
});
