// What a picture file says about itself before anything decodes it: its kind and its size. Pure. A few hundred kilobytes
// may unfold to gigabytes, so the size is read here and judged first. Must not know decoders or who sent it.
import { jpegSize } from "./jpeg_size.ts";

export type PictureKind = "jpeg" | "png" | "gif" | "webp" | "bmp";

export interface PictureHead {
  kind: PictureKind;
  width_px: number;
  height_px: number;
}

const ascii = (bytes: Uint8Array, from: number, to: number) =>
  String.fromCharCode(...bytes.subarray(from, to));

/** Kinds that people have and that are not read, so that the refusal can name them. */
const foreign: readonly [name: string, test: (bytes: Uint8Array) => boolean][] = [
  [
    "HEIC or AVIF",
    (bytes) => ascii(bytes, 4, 8) === "ftyp" && /^(hei|hev|mif1|msf1|avi)/.test(ascii(bytes, 8, 12)),
  ],
  ["TIFF", (bytes) => ["II*\0", "MM\0*"].includes(ascii(bytes, 0, 4))],
  ["PDF", (bytes) => ascii(bytes, 0, 5) === "%PDF-"],
  ["JPEG 2000", (bytes) => ascii(bytes, 4, 8) === "jP  "],
  ["JPEG XL", (bytes) => ascii(bytes, 4, 8) === "JXL " || bytes[0] === 0xff && bytes[1] === 0x0a],
  ["SVG", (bytes) => /^\s*<(\?xml|svg)/.test(ascii(bytes, 0, 64))],
];

/** The kind and size of the picture, or why it cannot be one, as the end of a sentence. */
export function readPictureHead(bytes: Uint8Array): PictureHead | { problem: string } {
  if (bytes.length === 0) return { problem: "it is empty" };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes[0] === 0xff && bytes[1] === 0xd8) {
    const size = jpegSize(bytes);
    return "problem" in size ? size : { kind: "jpeg", ...size };
  }
  if (ascii(bytes, 0, 8) === "\x89PNG\r\n\x1a\n") {
    if (bytes.length < 24 || ascii(bytes, 12, 16) !== "IHDR") return { problem: "the PNG is cut off" };
    return sized("png", view.getUint32(16), view.getUint32(20));
  }
  if (/^GIF8[79]a$/.test(ascii(bytes, 0, 6))) {
    if (bytes.length < 10) return { problem: "the GIF is cut off" };
    return sized("gif", view.getUint16(6, true), view.getUint16(8, true));
  }
  if (ascii(bytes, 0, 4) === "RIFF" && ascii(bytes, 8, 12) === "WEBP") return webpHead(bytes, view);
  if (ascii(bytes, 0, 2) === "BM") return bmpHead(view);
  const name = foreign.find(([, test]) => test(bytes))?.[0];
  if (name !== undefined) return { problem: `it is ${name}; JPEG, PNG, WebP, GIF and BMP are read` };
  return { problem: "it is no JPEG, PNG, WebP, GIF or BMP" };
}

/** The first chunk decides: lossy, lossless, or extended with the size of its canvas. */
function webpHead(bytes: Uint8Array, view: DataView): PictureHead | { problem: string } {
  if (bytes.length < 30) return { problem: "the WebP is cut off" };
  const chunk = ascii(bytes, 12, 16);
  if (chunk === "VP8 ") {
    if (ascii(bytes, 23, 26) !== "\x9d\x01\x2a") return { problem: "the WebP has no key frame" };
    return sized("webp", view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff);
  }
  if (chunk === "VP8L") {
    if (bytes[20] !== 0x2f) return { problem: "the WebP has no picture" };
    const bits = view.getUint32(21, true);
    return sized("webp", (bits & 0x3fff) + 1, (bits >>> 14 & 0x3fff) + 1);
  }
  if (chunk !== "VP8X") return { problem: "the WebP has no picture" };
  if (bytes[20]! & 2) return { problem: "it is an animated WebP; still pictures are read" };
  const uint24 = (at: number) => view.getUint16(at, true) | bytes[at + 2]! << 16;
  return sized("webp", uint24(24) + 1, uint24(27) + 1);
}

function bmpHead(view: DataView): PictureHead | { problem: string } {
  if (view.byteLength < 26) return { problem: "the BMP is cut off" };
  // The oldest header has 16-bit sizes; a negative height means that the top row comes first.
  if (view.getUint32(14, true) === 12) {
    return sized("bmp", view.getUint16(18, true), view.getUint16(20, true));
  }
  return sized("bmp", view.getInt32(18, true), Math.abs(view.getInt32(22, true)));
}

function sized(kind: PictureKind, width_px: number, height_px: number): PictureHead | { problem: string } {
  if (width_px > 0 && height_px > 0) return { kind, width_px, height_px };
  return { problem: `the ${kind.toUpperCase()} has no size` };
}
