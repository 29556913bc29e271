// The layout of a snapshot file and the proof that one is whole. Pure but for SHA-256. Must not know folders.
//
//   offset  bytes
//        0      8  magic "GANDSNAP"
//        8      4  format version, u32 little-endian
//       12      4  length of the head, u32
//       16      4  CRC-32 of the head, so that a listing need not read the blob to trust the numbers
//       20      n  head: JSON, padded with spaces so that the blob begins at a multiple of 64
//     20+n      m  blob
//   20+n+m     32  SHA-256 of everything before; last in every format version
import { crc32 } from "node:zlib";
import type { SnapshotHead } from "../pipeline/ports.ts";
import { store_limits } from "./limits.ts";

const magic = new TextEncoder().encode("GANDSNAP");
export const format_version = 1;
export const prefix_bytes = 20;
const digest_bytes = 32;
/** Native code may read the blob as wide words. */
const blob_alignment = 64;

/** Why a file is not used. `version`: whole, but of another format, and therefore left alone. */
export class SnapshotRefused extends Error {
  override readonly name = "SnapshotRefused";
  constructor(readonly why: "damaged" | "version", message: string) {
    super(message);
  }
}

function damaged(message: string): SnapshotRefused {
  return new SnapshotRefused("damaged", message);
}

/** One buffer for the whole file, so the caller's blob is free again when this returns its promise. */
export async function encodeSnapshot(head: SnapshotHead, blob: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = layOut(head, blob);
  const body = bytes.subarray(0, bytes.length - digest_bytes);
  // Off the event loop: 20 MB of SHA-256 would block it for 20 ms and more.
  bytes.set(new Uint8Array(await crypto.subtle.digest("SHA-256", body)), body.length);
  return bytes;
}

function layOut(head: SnapshotHead, blob: Uint8Array): Uint8Array<ArrayBuffer> {
  const { stream, tick, seq, t_media_ms, t_wall_ms, model_hash } = head;
  const thumbnail = head.thumbnail.toBase64();
  const fields = { stream, tick, seq, t_media_ms, t_wall_ms, model_hash, thumbnail, blob_bytes: blob.length };
  const json = new TextEncoder().encode(JSON.stringify(fields));
  const blob_at = Math.ceil((prefix_bytes + json.length) / blob_alignment) * blob_alignment;
  const bytes = new Uint8Array(blob_at + blob.length + digest_bytes);
  const head_part = bytes.subarray(prefix_bytes, blob_at).fill(0x20);
  head_part.set(json);
  if (head_part.length > store_limits.head_bytes_max || bytes.length > store_limits.file_bytes_max) {
    throw new RangeError(
      `a snapshot of ${bytes.length} bytes with a head of ${head_part.length} is too large`,
    );
  }
  // What cannot be read back must not be written: NaN, for one, is no JSON.
  readFields(head_part, stream, tick);
  bytes.set(magic);
  const view = new DataView(bytes.buffer);
  view.setUint32(8, format_version, true);
  view.setUint32(12, head_part.length, true);
  view.setUint32(16, crc32(head_part), true);
  bytes.set(blob, blob_at);
  return bytes;
}

/** The head's length, from the first bytes of a file of `file_bytes`. Throws SnapshotRefused. */
export function readPrefix(prefix: Uint8Array, file_bytes: number): number {
  if (file_bytes > store_limits.file_bytes_max) {
    throw damaged(`${file_bytes} bytes are more than any snapshot has`);
  }
  if (prefix.length < prefix_bytes || file_bytes < prefix_bytes + digest_bytes) throw damaged("cut off");
  if (magic.some((byte, at) => prefix[at] !== byte)) throw damaged("not a snapshot");
  const view = new DataView(prefix.buffer, prefix.byteOffset, prefix.byteLength);
  const version = view.getUint32(8, true);
  if (version !== format_version) {
    throw new SnapshotRefused(
      "version",
      `it has format version ${version} and this Gander reads version ${format_version}; ` +
        "use the Gander that wrote it",
    );
  }
  const head_bytes = view.getUint32(12, true);
  if (head_bytes > store_limits.head_bytes_max || prefix_bytes + head_bytes + digest_bytes > file_bytes) {
    throw damaged(`a head of ${head_bytes} bytes does not fit`);
  }
  return head_bytes;
}

/** The head of `stream` at `tick`, from the first bytes of a file. `start` holds prefix and head at least. */
export function readHead(
  start: Uint8Array,
  expected: { stream: string; tick: number; file_bytes: number },
): SnapshotHead {
  const head_bytes = readPrefix(start, expected.file_bytes);
  const part = start.subarray(prefix_bytes, prefix_bytes + head_bytes);
  if (part.length < head_bytes) throw damaged("cut off");
  const sum = new DataView(start.buffer, start.byteOffset, start.byteLength).getUint32(16, true);
  if (crc32(part) !== sum) throw damaged("the head's checksum is wrong");
  const { head, blob_bytes } = readFields(part, expected.stream, expected.tick);
  if (prefix_bytes + head_bytes + blob_bytes + digest_bytes !== expected.file_bytes) {
    throw damaged(`${expected.file_bytes} bytes are not what its head says`);
  }
  return head;
}

function readFields(
  part: Uint8Array,
  stream: string,
  tick: number,
): { head: SnapshotHead; blob_bytes: number } {
  let fields: Record<string, unknown>;
  let thumbnail: Uint8Array;
  try {
    fields = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(part));
    thumbnail = Uint8Array.fromBase64(fields.thumbnail as string);
  } catch {
    throw damaged("its head cannot be read");
  }
  const { seq, t_media_ms, t_wall_ms, model_hash, blob_bytes } = fields as Record<string, number> & {
    model_hash: string;
  };
  const counts = [tick, seq, blob_bytes].every((count) => Number.isSafeInteger(count) && count! >= 0);
  const times = [t_media_ms, t_wall_ms].every((time) => Number.isFinite(time));
  if (!counts || !times || typeof model_hash !== "string") throw damaged("its head makes no sense");
  if (fields.stream !== stream || fields.tick !== tick) throw damaged("it belongs to another place");
  return {
    head: {
      stream,
      tick,
      seq: seq!,
      t_media_ms: t_media_ms!,
      t_wall_ms: t_wall_ms!,
      model_hash,
      thumbnail,
    },
    blob_bytes: blob_bytes!,
  };
}

/** True when the last 32 bytes are the SHA-256 of the others. */
export async function isWhole(bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
  if (bytes.length < digest_bytes) return false;
  const body_bytes = bytes.length - digest_bytes;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes.subarray(0, body_bytes)));
  return digest.every((byte, at) => bytes[body_bytes + at] === byte);
}

/** The blob inside a whole file: a view, not a copy. */
export function blobOf(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return bytes.subarray(prefix_bytes + readPrefix(bytes, bytes.length), bytes.length - digest_bytes);
}
