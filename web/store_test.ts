import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import type { ServerMessage } from "../src/wire/mod.ts";
import { sampleCaption, sampleHello, sampleStream } from "./dev/samples.ts";
import { addQuestion } from "./questions.ts";
import { apply, initial_state, type State } from "./store.ts";

const play = (messages: ServerMessage[], from: State = initial_state) =>
  messages.reduce((state, message) => apply(state, message, 5_000), from);
const final = (seq: number): ServerMessage => ({ type: "caption.final", caption: sampleCaption(seq) });
const hello = (part = {}) => sampleHello([sampleStream(part)]);

describe("apply", () => {
  it("learns the streams from hello, oldest first", () => {
    const state = play([
      sampleHello([sampleStream({ id: "b", created_ms: 2 }), sampleStream({ id: "a", created_ms: 1 })]),
    ]);
    expect(state.streams?.map((stream) => stream.id)).toEqual(["a", "b"]);
    expect(state.model?.name).toBe("m");
  });
  it("turns deltas into the final caption", () => {
    const delta: ServerMessage = {
      type: "caption.delta",
      stream: "cam",
      tick: 3,
      t_media_ms: 9,
      text: "a cat",
    };
    const speaking = play([hello(), delta]);
    expect(speaking.feeds.cam.speaking?.text).toBe("a cat");
    const done = play([final(1)], speaking);
    expect(done.feeds.cam.speaking).toBe(undefined);
    expect(done.feeds.cam.captions.map((caption) => caption.text)).toEqual(["caption 1"]);
  });
  it("withdraws words that the model took back", () => {
    const delta: ServerMessage = { type: "caption.delta", stream: "cam", tick: 3, t_media_ms: 9, text: "" };
    expect(play([hello(), delta]).feeds.cam.speaking).toBe(undefined);
  });
  it("keeps captions over a new hello", () => {
    const state = play([hello({ last_seq: 2 }), final(1), final(2), hello({ last_seq: 5 })]);
    expect(state.feeds.cam.captions.length).toBe(2);
  });
  it("forgets captions of a stream that began anew", () => {
    const before = play([hello({ last_seq: 2 }), final(1), final(2)]);
    expect(play([hello({ last_seq: 1 })], before).feeds.cam).toBe(undefined);
    expect(play([hello({ last_seq: 9, created_ms: 77 })], before).feeds.cam).toBe(undefined);
  });
  it("removes a stream with its captions", () => {
    const state = play([hello(), final(1), { type: "stream.removed", stream: "cam" }]);
    expect([state.streams, state.feeds]).toEqual([[], {}]);
  });
  it("changes status and numbers of known streams only", () => {
    const status = { type: "stream.status", status: "stalled", reason: "no frames", since_ms: 9 } as const;
    const state = play([hello(), { ...status, stream: "cam" }]);
    expect(state.streams?.[0]).toMatchObject({ status: "stalled", reason: "no frames", since_ms: 9 });
    expect(apply(state, { ...status, stream: "other" }, 0)).toBe(state);
  });
  it("samples the numbers with the time they came", () => {
    const { stats } = sampleStream();
    const state = play([hello(), { type: "stats", stream: "cam", stats: { ...stats, p_speak: 0.42 } }]);
    expect(state.streams?.[0].stats.p_speak).toBe(0.42);
    expect(state.feeds.cam.samples).toMatchObject([{ at_ms: 5_000, p_speak: 0.42 }]);
  });
  it("grows and ends an answer", () => {
    const asked = {
      id: "q",
      stream: "cam",
      question: "?",
      at: "now",
      asked_ms: 0,
      text: "",
      phase: "waiting",
    } as const;
    const open = { ...play([hello()]), questions: addQuestion([], asked) };
    const grown = play([{ type: "answer.delta", id: "q", text: "a cat" }], open);
    expect(grown.questions[0]).toMatchObject({ text: "a cat", phase: "waiting" });
    const error = { code: "questions_full", message: "Too many.", retry: "backoff" } as const;
    expect(play([{ type: "answer.failed", id: "q", error }], grown).questions[0].phase).toBe("failed");
  });
  it("counts what this page was too slow for", () => {
    const skipped: ServerMessage = { type: "viewer.skipped", skipped: 3 };
    expect(play([hello(), skipped, skipped]).viewer_skipped).toBe(6);
  });
  it("does not change the state it was given", () => {
    const before = play([hello(), final(1)]);
    const copy = structuredClone(before);
    play([final(2), { type: "stream.removed", stream: "cam" }], before);
    expect(before).toEqual(copy);
  });
});
