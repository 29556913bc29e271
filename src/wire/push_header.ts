// The 32-byte little-endian header in front of every binary message on /ws/publish. Pure; browser and server.
import { wire_limits } from "./limits.ts";

export const push_header_bytes = 32;
const magic = 0x52444e47; // "GNDR"
const version = 1;
const codecs = ["jpeg", "h264", "webm"] as const;

export interface PushHeader {
  codec: (typeof codecs)[number];
  /** True when a decoder can start here. */
  key_frame: boolean;
  width_px: number;
  height_px: number;
  /** The sender's clock, microseconds. */
  t_media_us: bigint;
  sequence: number;
}

/** Header and payload in one message. */
export function encodePush(header: PushHeader, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const message = new Uint8Array(push_header_bytes + payload.length);
  const view = new DataView(message.buffer);
  view.setUint32(0, magic, true);
  view.setUint8(4, version);
  view.setUint8(5, codecs.indexOf(header.codec) + 1);
  view.setUint16(6, header.key_frame ? 1 : 0, true);
  view.setUint16(8, header.width_px, true);
  view.setUint16(10, header.height_px, true);
  view.setBigUint64(16, header.t_media_us, true);
  view.setUint32(24, header.sequence, true);
  view.setUint32(28, payload.length, true);
  message.set(payload, push_header_bytes);
  return message;
}

/** The parsed message, or the sentence that says what is wrong with it. The payload is a view, not a copy. */
export function parsePush(message: Uint8Array): { header: PushHeader; payload: Uint8Array } | string {
  if (message.length < push_header_bytes) {
    return `message of ${message.length} bytes is shorter than its header`;
  }
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  if (view.getUint32(0, true) !== magic) return "message does not begin with GNDR";
  if (view.getUint8(4) !== version) return `header version ${view.getUint8(4)} is not ${version}`;
  const codec = codecs[view.getUint8(5) - 1];
  if (!codec) return `codec ${view.getUint8(5)} is unknown`;
  const payload_bytes = view.getUint32(28, true);
  if (view.getUint32(12, true) !== 0) return "the reserved field is not zero";
  if (payload_bytes === 0) return "the payload is empty";
  if (payload_bytes > wire_limits.push_payload_bytes_max) {
    return `a payload of ${payload_bytes} bytes is too large`;
  }
  const t_media_us = view.getBigUint64(16, true);
  if (t_media_us > BigInt(Number.MAX_SAFE_INTEGER)) return "the media time is out of range";
  if (payload_bytes !== message.length - push_header_bytes) {
    return `header promises ${payload_bytes} bytes, ${message.length - push_header_bytes} came`;
  }
  return {
    header: {
      codec,
      key_frame: (view.getUint16(6, true) & 1) === 1,
      width_px: view.getUint16(8, true),
      height_px: view.getUint16(10, true),
      t_media_us,
      sequence: view.getUint32(24, true),
    },
    payload: message.subarray(push_header_bytes),
  };
}
