// Both sockets of the stand-in server: what a viewer is told, and what a camera may send.
import {
  type AnswerMessage,
  client_message_schema,
  type ClientMessage,
  encodePicture,
  parsePush,
  type ServerMessage,
  type StreamView,
} from "../../src/wire/mod.ts";
import { mock_model, type MockServer } from "../dev_server.ts";
import { whenOf } from "./mock_streams.ts";

export interface Viewer {
  socket: WebSocket;
  /** Subscribed streams, and whether their pictures are wanted. */
  subs: Map<string, boolean>;
}

export function send(socket: WebSocket, message: ServerMessage): void {
  if (socket.readyState === 1) socket.send(JSON.stringify(message));
}

export function openWatch(server: MockServer, request: Request): Response {
  const { socket, response } = Deno.upgradeWebSocket(request);
  const viewer: Viewer = { socket, subs: new Map() };
  socket.onopen = () => {
    server.viewers.add(viewer);
    const streams = [...server.streams.values()].map((stream) => stream.view);
    send(socket, { type: "hello", v: 1, version: "0.0.0-mock", model: mock_model, streams });
  };
  socket.onclose = () => server.viewers.delete(viewer);
  socket.onmessage = (event) => {
    const message = client_message_schema.parse(JSON.parse(event.data));
    server.received.push(message);
    if (message.type === "ping") send(socket, { type: "pong" });
    if (message.type === "unsub") viewer.subs.delete(message.stream);
    if (message.type === "ask") void answer(server, socket, message);
    if (message.type === "sub") subscribe(server, viewer, message);
  };
  return response;
}

function subscribe(server: MockServer, viewer: Viewer, message: ClientMessage & { type: "sub" }): void {
  const { stream, after_seq, pictures = false } = message;
  viewer.subs.set(stream, pictures);
  const captions = server.streams.get(stream)?.captions ?? [];
  const wanted = after_seq === undefined
    ? captions.slice(-50)
    : captions.filter(({ seq }) => seq > after_seq);
  for (const caption of wanted) send(viewer.socket, { type: "caption.final", caption });
}

const word_ms = 60;
/** For a question that says "take your time": long enough to be seen, and cut, on a slow machine. */
const slow_word_ms = 200;

async function answer(
  server: MockServer,
  socket: WebSocket,
  { id, stream: name, question, at = "now" }: ClientMessage & { type: "ask" },
): Promise<void> {
  const stream = server.streams.get(name)!;
  const at_ms = at === "now" ? Date.now() : Date.parse(at);
  const evidence = stream.captions.filter((caption) => Date.parse(caption.t_wall) <= at_ms).slice(-3);
  const said = evidence.at(-1)?.text ?? "nothing was said yet.";
  const words = `At that moment: ${said} That is all I remember of it.`.split(" ");
  const asked_at = new Date().toISOString();
  const pause_ms = /take your time/i.test(question) ? slow_word_ms : word_ms;
  const cancelled = () => server.received.some((message) => message.type === "cancel" && message.id === id);
  let status: AnswerMessage["status"] = "done";
  let text = "";
  for (const word of words) {
    if (cancelled()) status = "cancelled";
    if (socket.readyState !== 1 || status === "cancelled") break;
    text = `${text} ${word}`.trim();
    send(socket, { type: "answer.delta", id, text });
    await new Promise((resolve) => setTimeout(resolve, pause_ms));
  }
  const head = { id, stream: name, question, answer: text, asked_at, status, evidence };
  send(socket, { type: "answer.done", id, answer: { ...head, ...whenOf(stream, at_ms) } });
}

const first_credit = 4;

export function openPublish(server: MockServer, request: Request, id: string): Response {
  const { socket, response } = Deno.upgradeWebSocket(request);
  const pushed = server.pushed.get(id) ?? [];
  server.pushed.set(id, pushed);
  server.publishers.add(socket);
  const tell = (message: unknown) => socket.readyState === 1 && socket.send(JSON.stringify(message));
  socket.onclose = () => {
    server.publishers.delete(socket);
    showStatus(server, id, "ended", "the camera went away");
  };
  socket.onmessage = (event) => {
    if (typeof event.data === "string") {
      if (JSON.parse(event.data).type !== "publish") return;
      tell({ type: "accepted", v: 1, stream: id });
      tell({ type: "credit", messages: first_credit });
      return showStatus(server, id, "live", "");
    }
    const parsed = parsePush(new Uint8Array(event.data));
    if (typeof parsed === "string") return socket.close(4400, parsed);
    const { header, payload } = parsed;
    pushed.push({ codec: header.codec, key_frame: header.key_frame, bytes: payload.length });
    const picture = { stream: id, t_media_ms: Number(header.t_media_us / 1000n), jpeg: payload };
    if (header.codec === "jpeg") server.show(id, encodePicture(picture));
    if (server.gives_credit) tell({ type: "credit", messages: 1 });
  };
  return response;
}

function showStatus(server: MockServer, id: string, status: StreamView["status"], reason: string): void {
  const stream = server.streams.get(id);
  if (!stream) return;
  const since_ms = Date.now();
  stream.view = { ...stream.view, status, reason, since_ms };
  server.tell({ type: "stream.status", stream: id, status, reason, since_ms });
}
