// What a person can do, as functions over the edge. Components call these; nothing here draws.
import { signal } from "@preact/signals";
import type { SnapshotMessage, StreamPatch, StreamSpec, StreamView } from "../src/wire/mod.ts";
import { api } from "./api.ts";
import { connection, go, route, session, state } from "./edge.ts";
import { addMarks, addOlder, empty_feed } from "./feed.ts";
import { formatRoute } from "./route.ts";
import { addHistory, addQuestion, changeQuestion } from "./questions.ts";
import { changeFeed, putStream } from "./store.ts";
import { addToast, errorText } from "./toasts.ts";

export const snapshots = signal<Readonly<Record<string, readonly SnapshotMessage[]>>>({});

/** Runs it; an error becomes a toast and undefined. A lost session leads to the sign-in view. */
export async function attempt<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if ((error as { status?: number }).status === 401) session.value = { required: true, signed_in: false };
    else addToast("error", errorText(error));
    return undefined;
  }
}

function showStream(stream: StreamView): StreamView {
  state.value = { ...state.value, streams: putStream(state.value.streams ?? [], stream) };
  return stream;
}

export async function addStream(spec: StreamSpec): Promise<StreamView> {
  const stream = showStream(await api.addStream(spec));
  go({ stream: stream.id, at: undefined });
  return stream;
}

export async function changeStream(id: string, patch: StreamPatch): Promise<StreamView> {
  return showStream(await api.changeStream(id, patch));
}

export function pauseStream(stream: StreamView): void {
  void attempt(stream.paused ? api.resumeStream(stream.id) : api.pauseStream(stream.id));
}

export async function removeStream(stream: StreamView): Promise<void> {
  const removed = await attempt(api.removeStream(stream.id).then(() => true));
  if (!removed) return;
  addToast("note", `"${stream.name}" was deleted.`);
  if (route.value.stream === stream.id) go({ stream: undefined, at: undefined });
}

/** undefined: now. The moment lives in the address, so that it can be shared; a drag writes it there once. */
export function chooseMoment(at_ms: number | undefined): void {
  const at = at_ms === undefined ? undefined : new Date(at_ms).toISOString();
  route.value = { ...route.value, at };
  clearTimeout(address_timer);
  address_timer = setTimeout(() => history.replaceState(null, "", formatRoute(route.value)), 200);
}
let address_timer: ReturnType<typeof setTimeout> | undefined;

export function ask(stream: string, question: string, at: string | undefined): boolean {
  const id = crypto.randomUUID?.() ?? `q${Date.now().toString(36)}${Math.random().toString(36).slice(2, 10)}`;
  const sent = connection.send({ type: "ask", id, stream, question, at: at ?? "now" });
  if (!sent) {
    addToast("error", "Not connected: the question was not sent.");
    return false;
  }
  const asked = {
    id,
    stream,
    question,
    at: at ?? "now",
    asked_ms: Date.now(),
    text: "",
    phase: "waiting" as const,
  };
  state.value = { ...state.value, questions: addQuestion(state.value.questions, asked) };
  return true;
}

export function cancelQuestion(id: string): void {
  if (!connection.send({ type: "cancel", id })) return;
  state.value = {
    ...state.value,
    questions: changeQuestion(state.value.questions, id, { phase: "cancelling" }),
  };
}

export async function loadHistory(stream: string): Promise<void> {
  const answers = await attempt(api.answers(stream));
  if (answers) {
    state.value = { ...state.value, questions: addHistory(state.value.questions, answers.answers) };
  }
}

export async function loadSnapshots(stream: string): Promise<void> {
  const loaded = await attempt(api.snapshots(stream));
  if (!loaded) return;
  const sorted = loaded.snapshots.toSorted((a, b) => a.tick - b.tick);
  snapshots.value = { ...snapshots.value, [stream]: sorted };
}

const older_count = 100;

/** Captions before the oldest one here. False when there are none. */
export async function loadOlder(stream: string): Promise<boolean> {
  const oldest = (state.value.feeds[stream] ?? empty_feed).captions[0];
  const range = { to: oldest?.t_wall, limit: older_count, order: "newest" as const };
  const loaded = await attempt(api.captions(stream, range));
  if (!loaded) return true;
  const older = inOrder(loaded.captions).filter((caption) => !oldest || caption.seq < oldest.seq);
  state.value = changeFeed(state.value, stream, (feed) => addOlder(feed, older));
  return older.length > 0 && older[0].seq > 1;
}

/** Captions of a stretch for the timeline, newest first, a page at a time. Returns the time known back to. */
export async function loadMarks(stream: string, from_ms: number, to_ms: number): Promise<number> {
  const page_size = 1000;
  const pages_max = 5;
  let until_ms = to_ms;
  for (let page = 0; page < pages_max; page++) {
    const range = { from: iso(from_ms), to: iso(until_ms), limit: page_size, order: "newest" as const };
    const loaded = await attempt(api.captions(stream, range));
    if (!loaded) return until_ms;
    const marks = inOrder(loaded.captions);
    state.value = changeFeed(state.value, stream, (feed) => addMarks(feed, marks));
    if (marks.length < page_size) return from_ms;
    until_ms = Date.parse(marks[0].t_wall);
  }
  return until_ms;
}

const iso = (at_ms: number) => new Date(at_ms).toISOString();
const inOrder = <T extends { seq: number }>(captions: readonly T[]) =>
  captions.toSorted((a, b) => a.seq - b.seq);

export async function copyText(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    addToast("note", `${what} copied.`);
  } catch {
    addToast("error", "The browser did not allow copying. It does so on https:// and on localhost.");
  }
}
