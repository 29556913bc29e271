// gander-pond is held to its scores: four films of the test grammar, from seeds that no training sees, through ffmpeg, vision,
// engine, gates and time travel. Over 16 such scenes of 60 s it reached F1 .960 and .928 of the answers; scenes differ by .05
// and .04 (one deviation, from the intervals in docs/measurements), so three of them together lie within .09 and .07 of that
// in all but one case of a thousand. The bars are below. The weights of 2026-11-23 have all 36 events and 107 of 111 answers.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { EvalHouse, sittingOf } from "../../src/cli/eval_house.ts";
import { readEvalOptions } from "../../src/cli/eval_options.ts";
import { sceneOf } from "../../src/cli/eval_scenes.ts";
import { compose } from "../../src/compose.ts";
import { accuracyOf, tally } from "../../src/eval/answer_score.ts";
import { addCounts, ratesOf, scoreEvents } from "../../src/eval/event_score.ts";
import { examOf, type Sitting } from "../../src/eval/exam.ts";
import { toldBy } from "../../src/eval/told.ts";
import { readScript } from "../../src/world/script.ts";

const films = new URL("./pond/", import.meta.url).pathname;
const pond = new URL("../../models/gander-pond", import.meta.url).pathname;

const f1_min = 0.85, answers_min = 0.8, silent_min = 0.99;

async function watch(house: EvalHouse, name: string, group: "narration" | "still"): Promise<Sitting> {
  const read = readScript(JSON.parse(Deno.readTextFileSync(`${films}${name}.json`)));
  if ("problems" in read) throw new Error(read.problems.join());
  const exam = examOf(name, group, read.script);
  const { questions } = sceneOf(exam, { tasks: new Set(["T1"]), moments: 4 });
  const played = await house.play({ name, video: `${films}${name}.mp4` });
  const settle = (t_s: number) => played.moments_s.findLast((moment_s) => moment_s <= t_s + 1e-6) ?? t_s;
  const answers = await house.ask(name, questions(settle));
  await house.forget(name);
  return sittingOf(exam, played, answers);
}

describe("gander-pond", () => {
  it("tells, answers and keeps silent as it was measured to", async () => {
    const io = { out: () => {}, err: () => {}, stop: new AbortController().signal };
    const nothing = () => {
      throw new Error("nothing is rendered here");
    };
    const house = await EvalHouse.open(readEvalOptions(["--bundle", pond]), io, compose, nothing);
    const told: Sitting[] = [];
    let still: Sitting;
    try {
      for (const name of ["l2-0", "l2-1", "l2-2"]) told.push(await watch(house, name, "narration"));
      still = await watch(house, "l2-still", "still");
    } finally {
      await house.close();
    }
    const strict = addCounts(told.map(({ exam, lines }) => scoreEvents(exam.events, toldBy(lines)).strict));
    expect(strict.true).toBeGreaterThan(30);
    expect(ratesOf(strict).f1).toBeGreaterThanOrEqual(f1_min);

    const given = told.flatMap(({ answers }) => answers);
    expect(given.length).toBeGreaterThan(90);
    expect(accuracyOf(tally(given)).accuracy).toBeGreaterThanOrEqual(answers_min);

    expect(still.exam.events).toEqual([]);
    expect(still.ticks).toBeGreaterThanOrEqual(40);
    expect(1 - still.lines.length / still.ticks).toBeGreaterThanOrEqual(silent_min);
    // The lines of one film are not those of another: a score does not come of speaking alone.
    const others = told.map(({ exam }, at) =>
      scoreEvents(exam.events, toldBy(told.at(at - 1)!.lines)).strict
    );
    expect(ratesOf(addCounts(others)).f1).toBeLessThan(0.3);
  });
});
