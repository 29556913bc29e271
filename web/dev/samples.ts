// Small valid values of the wire for unit tests: each takes the parts that matter and fills in the rest.
import type { CaptionMessage, ServerMessage, SnapshotMessage, StreamView } from "../../src/wire/mod.ts";
import { makeStream } from "./mock_streams.ts";

export function sampleStream(part: Partial<StreamView> = {}): StreamView {
  const { view } = makeStream("cam", "Cam", { kind: "pull", url: "rtsp://cam.local/…" });
  return { ...view, created_ms: 1_000, since_ms: 1_000, ...part };
}

/** Caption n is said n seconds after the epoch. */
export function sampleCaption(seq: number, part: Partial<CaptionMessage> = {}): CaptionMessage {
  return {
    stream: "cam",
    seq,
    tick: seq * 2,
    t_media_ms: seq * 1000,
    t_wall: new Date(seq * 1000).toISOString(),
    text: `caption ${seq}`,
    p_speak: 0.7,
    caption_age_ms: 400,
    ...part,
  };
}

export function sampleSnapshot(tick: number): SnapshotMessage {
  const t_media_ms = tick * 500;
  return {
    stream: "cam",
    tick,
    seq: 0,
    t_media_ms,
    t_wall: new Date(t_media_ms).toISOString(),
    model_hash: "fake",
  };
}

export function sampleHello(streams: StreamView[]): ServerMessage {
  const model = {
    name: "m",
    policy: "stream" as const,
    trained: true,
    fake: false,
    limits_note: "",
    device: "cpu",
    rwkv_version: 7,
    width: 8,
    layers: 2,
    vectors_per_frame: 4,
    state_bytes: 64,
    model_hash: "h",
  };
  return { type: "hello", v: 1, version: "1", model, streams };
}

/** A socket that a test drives by hand. */
export class HandSocket {
  readyState = 1;
  bufferedAmount = 0;
  binaryType = "";
  sent: string[] = [];
  binary: Uint8Array[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;

  send(data: string | Uint8Array): void {
    if (typeof data === "string") this.sent.push(data);
    else this.binary.push(data);
  }

  close(): void {
    this.readyState = 3;
  }

  say(message: unknown): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  lose(code = 1006, reason = ""): void {
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }

  get asked(): Record<string, unknown>[] {
    return this.sent.map((text) => JSON.parse(text));
  }
}
