// What a stream is, decided from its first bytes by us, so that ffmpeg never guesses: a playlist that calls itself
// clip.mp4 would make it open other files. Pure. Must not know files or sockets.
import type { MediaFormat } from "./ffmpeg_args.ts";

const mov_boxes = ["ftyp", "moov", "mdat", "free", "skip", "wide", "pnot", "styp", "sidx", "moof"];
const ts_packet_bytes = 188;

function startsWith(head: Uint8Array, bytes: readonly number[], at = 0): boolean {
  return bytes.every((byte, index) => head[at + index] === byte);
}

function isMpegts(head: Uint8Array): boolean {
  // Joined in the middle the first sync byte may be anywhere in one packet; three in a row are no accident.
  for (let start = 0; start < ts_packet_bytes && start + 2 * ts_packet_bytes < head.byteLength; start++) {
    if ([0, 1, 2].every((index) => head[start + index * ts_packet_bytes] === 0x47)) return true;
  }
  return false;
}

/** The container of a stream that begins with `head`; undefined when it is none that is accepted. */
export function mediaFormat(head: Uint8Array, content_type = ""): MediaFormat | undefined {
  const text = new TextDecoder("latin1").decode(head.subarray(0, 512));
  if (mov_boxes.includes(text.slice(4, 8))) return "mov";
  if (startsWith(head, [0x1a, 0x45, 0xdf, 0xa3])) return "matroska";
  if (text.startsWith("RIFF") && text.slice(8, 12) === "AVI ") return "avi";
  if (text.startsWith("FLV\x01")) return "flv";
  if (text.startsWith("OggS")) return "ogg";
  if (startsWith(head, [0xff, 0xd8, 0xff])) return "mjpeg";
  if (startsWith(head, [0, 0, 1, 0xba])) return "mpeg";
  if (/^(?:\xef\xbb\xbf)?\s*#EXTM3U/.test(text)) return "hls";
  const multipart = /^multipart\//i.test(content_type) || /content-type:\s*image\/jpe?g/i.test(text);
  if (multipart && /^\s*--/.test(text)) return "mpjpeg";
  if (isMpegts(head)) return "mpegts";
  return undefined;
}

/** What a person should hear about bytes that are no video. */
export function unknownFormatReason(head: Uint8Array): string {
  if (head.byteLength === 0) return "it is empty";
  const text = new TextDecoder("latin1").decode(head.subarray(0, 256)).trimStart();
  if (/^<(!doctype|html|head|body)/i.test(text)) return "it is a web page, not a video";
  if (/^<\?xml|^<MPD/i.test(text)) return "it is XML; DASH manifests are not read";
  if (/^[{[]/.test(text)) return "it is JSON, not a video";
  return "it is not a video format that is accepted (MP4, MKV, WebM, MPEG-TS, AVI, FLV, Ogg, MJPEG, HLS)";
}
