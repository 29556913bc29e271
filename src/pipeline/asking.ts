// Questions of all streams: bounded, each on its own fork, about now or about a past moment. Must not know how an
// answer reaches the one who asked.
import { GanderError, RequestError } from "../errors.ts";
import type { Entry, PipelineDeps } from "./entry.ts";
import { limits } from "./limits.ts";
import type { Position } from "./narrator.ts";
import type { AnswerRecord, EngineState, SnapshotHead } from "./ports.ts";
import { answerQuestion, checkQuestion } from "./question.ts";
import type { Seats } from "./seats.ts";
import type { Answered, Moment, QuestionRequest } from "./surface.ts";

export class Asking {
  readonly #deps: PipelineDeps;
  readonly #seats: Seats;
  #asked_count = 0;

  constructor(deps: PipelineDeps, seats: Seats) {
    this.#deps = deps;
    this.#seats = seats;
  }

  async ask(entry: Entry, request: QuestionRequest): Promise<Answered> {
    const question = checkQuestion(request);
    if (entry.gone.aborted) {
      throw new GanderError("not_ready", `Cannot ask "${entry.id}": it is being closed`, "backoff");
    }
    const leave = this.#seats.take(`Cannot ask "${entry.id}"`);
    const { clock } = this.#deps;
    const asked_at_ms = clock.now_ms();
    entry.counters.questions_active++;
    const late = new AbortController();
    const done = new AbortController();
    const deadline_ms = Math.min(
      request.deadline_ms ?? limits.question_deadline_ms,
      limits.question_deadline_ms_max,
    );
    void clock.sleep(deadline_ms, done.signal).then(() => done.signal.aborted || late.abort());
    const ways_out = [late.signal, entry.gone, ...(request.signal ? [request.signal] : [])];
    const signal = AbortSignal.any(ways_out);
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
      this.#keep(record);
      return { ...record, evidence: this.#evidence(entry.id, at) };
    } finally {
      done.abort();
      leave();
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
      return { answer: "", status: why(), at: entry.position };
    }
    const { text, status } = await answerQuestion(forked.state, request, this.#deps);
    return { answer: text, status: status === "cancelled" ? why() : status, at: forked.at };
  }

  /** Who asked has the answer, kept or not: a full disk must not take it away. */
  #keep(record: AnswerRecord): void {
    try {
      this.#deps.store.saveAnswer(record);
    } catch (error) {
      this.#deps.log.warn("answer not kept", { stream: record.stream, answer: record.id, error });
    }
  }

  /** A fork of the memory as it was at the moment. */
  async #recall(
    entry: Entry,
    moment: Moment,
    signal: AbortSignal,
  ): Promise<{ state: EngineState; at: Position }> {
    // The fork comes first: only at a tick edge, with the memory whole, is it known what "now" is.
    const { state, at } = await (await entry.narrator(signal)).fork(signal);
    if (!isBefore(moment, at)) return { state, at };
    try {
      return { state, at: await this.#goBack(entry.id, state, moment) };
    } catch (error) {
      state.close();
      throw error;
    }
  }

  /** Fills `state` from the newest snapshot at or before the moment; returns where that was. */
  async #goBack(stream: string, state: EngineState, moment: Moment): Promise<Position> {
    const { store, engine, log } = this.#deps;
    // What another model remembers cannot be asked.
    const heads = store.listSnapshots(stream).filter((head) => head.model_hash === engine.info.model_hash);
    for (const head of heads) {
      if (isBefore(moment, head)) continue;
      const found = await store.readSnapshot(stream, head.tick);
      if (!found) continue;
      try {
        state.importBlob(found.blob);
      } catch (error) {
        log.warn("snapshot refused", { stream, tick: head.tick, error });
        continue;
      }
      const { tick, t_media_ms, t_wall_ms } = found.head;
      return { tick, t_media_ms, t_wall_ms };
    }
    throw new RequestError(
      "moment_unknown",
      `Cannot ask "${stream}" about ${nameOf(moment)}: ${beginning(heads)}`,
    );
  }

  #evidence(stream: string, at: Position) {
    const query = { to_ms: at.t_wall_ms, limit: limits.evidence_captions, newest_first: true };
    return this.#deps.store.captions(stream, query).toReversed();
  }
}

function isBefore(moment: Moment, at: Position): boolean {
  switch (moment.kind) {
    case "tick":
      return moment.tick < at.tick;
    case "media":
      return moment.t_media_ms < at.t_media_ms;
    case "wall":
      return moment.t_wall_ms < at.t_wall_ms;
    case "now":
      return false;
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
