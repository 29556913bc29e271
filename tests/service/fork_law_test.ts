// Fork law on the real engine: a film narrated while 50 questions are answered at every moment gives the same
// captions, the same numbers and the same state, bit for bit, as the same film in peace.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import type { Gander } from "../../src/cli/commands.ts";
import { sampleClip } from "./clip.ts";
import { openWhole, playThrough, stateOf } from "./whole_service.ts";

const questioners = 50;

/** Asks without pause until told to stop; counts answers and what was refused. */
async function askAround(gander: Gander, id: string, stop: AbortSignal) {
  let answered = 0;
  let moments = 0;
  let failed = "";
  const one = async (number: number) => {
    while (!stop.aborted) {
      const past = number % 5 === 0 && gander.service.snapshots(id).length > 0;
      const at = past
        ? { kind: "tick" as const, tick: gander.service.snapshots(id).at(-1)!.tick }
        : { kind: "now" as const };
      try {
        const answer = await gander.service.ask(id, { question: `What did number ${number} see?`, at });
        answered++;
        if (past) moments++;
        if (answer.status !== "done") failed ||= answer.status;
      } catch (error) {
        failed ||= (error as Error).message;
        return;
      }
    }
  };
  await Promise.all(Array.from({ length: questioners }, (_, number) => one(number)));
  return { answered, moments, failed };
}

describe("fork law", () => {
  it(`narration with ${questioners} concurrent questions is that without, bit for bit`, async () => {
    const request = {
      id: "film",
      name: "film",
      source: { kind: "pull" as const, url: await sampleClip() },
      pace: "lossless" as const,
      gates: { change: false, novelty: true },
    };
    await using calm = await openWhole();
    const expected = await playThrough(calm.gander, request);
    const expected_state = await stateOf(calm.gander, "film");

    await using busy = await openWhole();
    const stop = new AbortController();
    const playing = playThrough(busy.gander, request);
    // The stream exists once add has returned; its first answer may come before its first frame.
    while (!busy.gander.service.list().some((stream) => stream.id === "film")) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const asking = askAround(busy.gander, "film", stop.signal);
    const found = await playing;
    stop.abort();
    const { answered, moments, failed } = await asking;
    const found_state = await stateOf(busy.gander, "film");

    expect(failed).toBe("");
    expect(answered).toBeGreaterThan(questioners);
    expect(moments).toBeGreaterThan(0);
    expect(expected.length).toBeGreaterThan(5);
    const lasting = ({ seq, tick, t_media_ms, text, p_speak }: (typeof found)[number]) => ({
      seq,
      tick,
      t_media_ms,
      text,
      p_speak,
    });
    expect(found.map(lasting)).toEqual(expected.map(lasting));
    expect([found_state.tick, found_state.seq]).toEqual([expected_state.tick, expected_state.seq]);
    expect(found_state.blob).toEqual(expected_state.blob);
    expect(busy.gander.service.get("film").stats.questions_active).toBe(0);
  });
});
