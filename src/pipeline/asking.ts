// Questions of all streams: bounded, each on its own fork, about now or about a past moment. Must not know how an
// answer reaches the one who asked.
import { CapacityError, RequestError } from "../errors.ts";
import type { Entry, PipelineDeps } from "./entry.ts";
import { limits } from "./limits.ts";
import type { Position } from "./narrator.ts";
import type { AnswerRecord, EngineState, SnapshotHead } from "./ports.ts";
import { answerQuestion, checkQuestion } from "./question.ts";
import type { Answered, Moment, QuestionRequest } from "./surface.ts";

export class Asking {
  readonly #deps: PipelineDeps;
  #active_count = 0;
  #asked_count = 0;

  constructor(deps: PipelineDeps) {
    this.#deps = deps;
  }

  async ask(entry: Entry, request: QuestionRequest): Promise<Answered> {
    const question = checkQuestion(request);
    if (this.#active_count >= limits.questions_active_max) {
      throw new CapacityError(
        "questions_full",
        `Cannot ask "${entry.id}": ${this.#active_count} questions are being answered, ask again in a moment`,
      );
    }
    const { clock, store } = this.#deps;
    const asked_at_ms = clock.now_ms();
    this.#active_count++;
    entry.counters.questions_active++;
    const late = new AbortController();
    const done = new AbortController();
    const deadline_ms = Math.min(
      request.deadline_ms ?? limits.question_deadline_ms,
      limits.question_deadline_ms_max,
    );
    void clock.sleep(deadline_ms, done.signal).then(() => done.signal.aborted || late.abort());
    const signal = request.signal ? AbortSignal.any([late.signal, request.signal]) : late.signal;
    try {
      const { answer, status, at } = await this.#answer(entry, { ...request, question, signal }, late.signal);
      const record: AnswerRecord = {
        id: `${entry.id}-${asked_at_ms.toString(36)}-${(++this.#asked_count).toString(36)}`,
        stream: entry.id,
        question,
        answer,
        ...at,
        asked_at_ms,
        status,
      };
      store.saveAnswer(record);
      return { ...record, evidence: this.#evidence(entry.id, at) };
    } finally {
      done.abort();
      this.#active_count--;
      entry.counters.questions_active--;
    }
  }

  async #answer(
    entry: Entry,
    request: QuestionRequest & { signal: AbortSignal },
    late: AbortSignal,
  ): Promise<{ answer: string; status: AnswerRecord["status"]; at: Position }> {
    const why = () => late.aborted ? "deadline" : "cancelled";
    let forked: { state: EngineState; at: Position };
    try {
      forked = await this.#recall(entry, request.at, request.signal);
    } catch (error) {
      if (!request.signal.aborted) throw error;
      return { answer: "", status: why(), at: entry.narrator.position };
    }
    const { text, status } = await answerQuestion(forked.state, request, this.#deps);
    return { answer: text, status: status === "cancelled" ? why() : status, at: forked.at };
  }

  /** A fork of the memory as it was at the moment. */
  async #recall(
    entry: Entry,
    moment: Moment,
    signal: AbortSignal,
  ): Promise<{ state: EngineState; at: Position }> {
    const now = entry.narrator.position;
    if (moment.kind === "now" || isAfter(moment, now)) return entry.narrator.fork(signal);
    const { store } = this.#deps;
    for (const head of store.listSnapshots(entry.id)) {
      if (isAfter(moment, head) || isAt(moment, head)) {
        const found = await store.readSnapshot(entry.id, head.tick);
        if (!found) continue;
        const { state } = await entry.narrator.fork(signal);
        try {
          state.importBlob(found.blob);
        } catch (error) {
          state.close();
          throw error;
        }
        const { tick, t_media_ms, t_wall_ms } = found.head;
        return { state, at: { tick, t_media_ms, t_wall_ms } };
      }
    }
    throw new RequestError(
      "moment_unknown",
      `Cannot ask "${entry.id}" about ${nameOf(moment)}: ${beginning(store.listSnapshots(entry.id))}`,
    );
  }

  #evidence(stream: string, at: Position) {
    const query = { to_ms: at.t_wall_ms, limit: limits.evidence_captions, newest_first: true };
    return this.#deps.store.captions(stream, query).toReversed();
  }
}

function isAt(moment: Moment, at: Position): boolean {
  switch (moment.kind) {
    case "tick":
      return at.tick === moment.tick;
    case "media":
      return at.t_media_ms === moment.t_media_ms;
    case "wall":
      return at.t_wall_ms === moment.t_wall_ms;
    case "now":
      return true;
  }
}

function isAfter(moment: Moment, at: Position): boolean {
  switch (moment.kind) {
    case "tick":
      return moment.tick > at.tick;
    case "media":
      return moment.t_media_ms > at.t_media_ms;
    case "wall":
      return moment.t_wall_ms > at.t_wall_ms;
    case "now":
      return true;
  }
}

function nameOf(moment: Moment): string {
  switch (moment.kind) {
    case "tick":
      return `tick ${moment.tick}`;
    case "media":
      return `${(moment.t_media_ms / 1000).toFixed(1)} s`;
    case "wall":
      return new Date(moment.t_wall_ms).toISOString();
    case "now":
      return "now";
  }
}

function beginning(heads: readonly SnapshotHead[]): string {
  const oldest = heads.at(-1);
  return oldest
    ? `the oldest snapshot is tick ${oldest.tick}, ${new Date(oldest.t_wall_ms).toISOString()}`
    : "no snapshot was taken yet";
}
