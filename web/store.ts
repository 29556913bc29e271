// The whole of what this page knows, and how one message of the server changes it: apply(state, message), pure.
// Signals, sockets and components are not known here.
import type { ModelView, ServerMessage, StreamView } from "../src/wire/mod.ts";
import { addCaption, addSample, empty_feed, type Feed, newestSeq } from "./feed.ts";
import { changeQuestion, type Questions } from "./questions.ts";

export interface State {
  version: string | undefined;
  model: ModelView | undefined;
  /** undefined until the first hello: "no streams" and "not known yet" are different screens. */
  streams: readonly StreamView[] | undefined;
  feeds: Readonly<Record<string, Feed>>;
  questions: Questions;
  /** Deltas and pictures this page was too slow for. Captions are never among them. */
  viewer_skipped: number;
}

export const initial_state: State = {
  version: undefined,
  model: undefined,
  streams: undefined,
  feeds: {},
  questions: [],
  viewer_skipped: 0,
};

export function apply(state: State, message: ServerMessage, now_ms: number): State {
  switch (message.type) {
    case "hello":
      return applyHello(state, message);
    case "stream.changed":
      return { ...state, streams: putStream(state.streams ?? [], message.stream) };
    case "stream.removed":
      return {
        ...state,
        streams: state.streams?.filter((stream) => stream.id !== message.stream),
        feeds: withoutFeed(state.feeds, message.stream),
      };
    case "stream.status": {
      const { status, reason, since_ms } = message;
      return changeStream(state, message.stream, (stream) => ({ ...stream, status, reason, since_ms }));
    }
    case "caption.delta": {
      const { tick, t_media_ms, text } = message;
      const speaking = text === "" ? undefined : { tick, t_media_ms, text };
      return changeFeed(state, message.stream, (feed) => ({ ...feed, speaking }));
    }
    case "caption.final":
      return changeFeed(state, message.caption.stream, (feed) => addCaption(feed, message.caption));
    case "answer.delta":
      return { ...state, questions: changeQuestion(state.questions, message.id, { text: message.text }) };
    case "answer.done": {
      const { id, answer } = message;
      const change = { phase: "answered" as const, text: answer.answer, answer };
      return { ...state, questions: changeQuestion(state.questions, id, change) };
    }
    case "answer.failed": {
      const change = { phase: "failed" as const, error: message.error };
      return { ...state, questions: changeQuestion(state.questions, message.id, change) };
    }
    case "stats": {
      const counted = changeStream(state, message.stream, (stream) => ({ ...stream, stats: message.stats }));
      return changeFeed(counted, message.stream, (feed) => addSample(feed, message.stats, now_ms));
    }
    case "drop.report":
      return changeFeed(state, message.stream, (feed) => ({ ...feed, dropped_at_ms: now_ms }));
    case "viewer.skipped":
      return { ...state, viewer_skipped: state.viewer_skipped + message.skipped };
    case "error":
    case "goaway":
    case "pong":
      return state;
  }
}

/** A hello replaces what the server owns. A stream that began anew under an old name begins anew here too. */
function applyHello(state: State, hello: ServerMessage & { type: "hello" }): State {
  const feeds: Record<string, Feed> = {};
  for (const stream of hello.streams) {
    const feed = state.feeds[stream.id];
    const before = state.streams?.find((known) => known.id === stream.id);
    const began_anew = stream.last_seq < newestSeq(feed) ||
      (before !== undefined && before.created_ms !== stream.created_ms);
    if (feed && !began_anew) feeds[stream.id] = { ...feed, speaking: undefined };
  }
  const streams = hello.streams.reduce(putStream, [] as readonly StreamView[]);
  return { ...state, version: hello.version, model: hello.model, streams, feeds };
}

/** Oldest first, so that the list does not jump. */
export function putStream(streams: readonly StreamView[], stream: StreamView): readonly StreamView[] {
  return [...streams.filter((known) => known.id !== stream.id), stream]
    .sort((a, b) => a.created_ms - b.created_ms || (a.id < b.id ? -1 : 1));
}

/** News of a stream that nobody announced changes nothing. */
function changeStream(state: State, id: string, change: (stream: StreamView) => StreamView): State {
  if (!state.streams?.some((stream) => stream.id === id)) return state;
  return { ...state, streams: state.streams.map((stream) => stream.id === id ? change(stream) : stream) };
}

export function changeFeed(state: State, id: string, change: (feed: Feed) => Feed): State {
  const feed = state.feeds[id] ?? empty_feed;
  const changed = change(feed);
  return changed === feed ? state : { ...state, feeds: { ...state.feeds, [id]: changed } };
}

function withoutFeed(feeds: Readonly<Record<string, Feed>>, id: string): Readonly<Record<string, Feed>> {
  return Object.fromEntries(Object.entries(feeds).filter(([key]) => key !== id));
}
