// The edge where values become signals: the one state, the socket that feeds it, the address bar, the clock.
// Components read from here and act through actions.ts; the pure parts below know nothing of it.
import { computed, effect, signal } from "@preact/signals";
import type { Picture, ServerMessage, Session, StreamView } from "../src/wire/mod.ts";
import { api, socketUrl } from "./api.ts";
import { type Phase, WatchConnection } from "./connection.ts";
import { empty_feed } from "./feed.ts";
import { failOpen } from "./questions.ts";
import { formatRoute, parseRoute, type Route } from "./route.ts";
import { apply, initial_state } from "./store.ts";
import { addToast } from "./toasts.ts";

export const state = signal(initial_state);
export const phase = signal<Phase>({ kind: "connecting" });
export const route = signal<Route>(parseRoute(location.hash));
/** The present, once a second: for relative times only. */
export const now_ms = signal(Date.now());
export const session = signal<Session | undefined>(undefined);
export const page_visible = signal(!document.hidden);

export const streams = computed(() => state.value.streams);
export const model = computed(() => state.value.model);
export const selected = computed<StreamView | undefined>(() =>
  state.value.streams?.find((stream) => stream.id === route.value.stream)
);
export const feed = computed(() => state.value.feeds[route.value.stream ?? ""] ?? empty_feed);

// Messages come in bursts (50 captions on a resume): they are applied together, at most once per burst_ms.
const burst_ms = 30;
let burst: ServerMessage[] = [];
function takeMessage(message: ServerMessage): void {
  if (message.type === "error") addToast("error", message.error.message);
  if (burst.length === 0) setTimeout(applyBurst, burst_ms);
  burst.push(message);
}
function applyBurst(): void {
  const messages = burst;
  burst = [];
  const at_ms = Date.now();
  state.value = messages.reduce((current, message) => apply(current, message, at_ms), state.value);
}

type PictureListener = (picture: Picture) => void;
const picture_listeners = new Set<PictureListener>();
/** Pictures pass by the state: they are large and only the newest matters. Returns the way out. */
export function listenPictures(listener: PictureListener): () => void {
  picture_listeners.add(listener);
  return () => picture_listeners.delete(listener);
}

export const connection = new WatchConnection({
  open: () => new WebSocket(socketUrl("/ws/watch")),
  onMessage: takeMessage,
  onPicture: (picture) => picture_listeners.forEach((listener) => listener(picture)),
  onPhase(next) {
    phase.value = next;
    if (next.kind === "open" || next.kind === "connecting") return;
    state.value = { ...state.value, questions: failOpen(state.value.questions) };
    // A server that wants a token refuses the socket without saying why: ask it.
    if (next.kind === "waiting" || (next.kind === "closed" && next.why === "unauthorized")) {
      void readSession();
    }
  },
});

/** Whether this server wants a token, and whether it has ours. */
async function readSession(): Promise<void> {
  try {
    session.value = await api.session();
  } catch {
    session.value ??= { required: false, signed_in: true }; // the socket's own retries will tell
  }
}

export const locked_out = computed(() => session.value?.required === true && !session.value.signed_in);

export async function askSession(): Promise<void> {
  await readSession();
  if (!locked_out.value) connection.connect();
}

export function go(next: Route): void {
  const hash = formatRoute(next);
  if (location.hash !== hash) location.hash = hash;
}

export function start(): void {
  addEventListener("hashchange", () => route.value = parseRoute(location.hash));
  document.addEventListener("visibilitychange", () => page_visible.value = !document.hidden);
  addEventListener("online", () => phase.value.kind === "waiting" && connection.connect());
  setInterval(() => now_ms.value = Date.now(), 1000);
  const stream_ids = computed(() => (streams.value ?? []).map((stream) => stream.id).join(" "));
  // Every stream's captions for the list; pictures only of the one on screen, and only while it is looked at.
  effect(() => {
    const ids = stream_ids.value.split(" ").filter((id) => id !== "");
    const pictured = page_visible.value ? route.value.stream : undefined;
    connection.want(new Map(ids.map((id) => [id, id === pictured])));
  });
  effect(() => {
    const name = selected.value?.name;
    document.title = name ? `${name} · Gander` : "Gander";
  });
  effect(() => {
    if (locked_out.value) connection.leave();
  });
  void askSession();
}
