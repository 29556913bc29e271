// Small picture files written by hand, so that tests know every pixel and every lie in them.
import { Buffer } from "node:buffer";
import { crc32, deflateSync } from "node:zlib";

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

/** An 8-bit RGB PNG. `says` puts another size into its header than it has. */
export function makePng(
  width_px: number,
  height_px: number,
  rgb: Uint8Array,
  says: { width_px: number; height_px: number } = { width_px, height_px },
): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(says.width_px, 0);
  header.writeUInt32BE(says.height_px, 4);
  header.set([8, 2], 8);
  const rows = Array.from({ length: height_px }, (_, row) =>
    Buffer.concat([
      Buffer.of(0),
      rgb.subarray(3 * width_px * row, 3 * width_px * (row + 1)),
    ]));
  return new Uint8Array(Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(Buffer.concat(rows))),
    chunk("IEND", Buffer.alloc(0)),
  ]));
}

/** Pixels that are all different from their neighbours. */
export function makePixels(width_px: number, height_px: number): Uint8Array {
  return Uint8Array.from({ length: width_px * height_px * 3 }, (_, index) => index * 37 % 251);
}
