// The size of a JPEG from its header, before anything decodes it: 1.5 MB may unfold to 768 MB. Pure.
// Must not know who sent it.

export type JpegSize = { width_px: number; height_px: number } | { problem: string };

/** Reads markers up to the frame header. Touches each byte at most once. */
export function jpegSize(bytes: Uint8Array): JpegSize {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return { problem: "it is not a JPEG" };
  let at = 2;
  while (at + 3 < bytes.byteLength) {
    if (bytes[at] !== 0xff) return { problem: "a marker of the JPEG is missing" };
    const marker = bytes[at + 1];
    // Any number of 0xff may fill the space before a marker.
    if (marker === 0xff) {
      at++;
      continue;
    }
    // Markers without a length; none of them belongs in front of the frame header, all are harmless.
    if (marker === 0x01 || marker >= 0xd0 && marker <= 0xd7) {
      at += 2;
      continue;
    }
    if (marker === 0xd8 || marker === 0xd9 || marker === 0xda || marker === 0x00) {
      return { problem: "the JPEG has no frame header" };
    }
    const length = bytes[at + 2] << 8 | bytes[at + 3];
    if (length < 2) return { problem: "a segment of the JPEG is too short" };
    // Start of frame, all processes; c4, c8 and cc between them are tables.
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
      if (at + 9 > bytes.byteLength || length < 8) return { problem: "the JPEG is cut off" };
      const height_px = bytes[at + 5] << 8 | bytes[at + 6];
      const width_px = bytes[at + 7] << 8 | bytes[at + 8];
      // A height of zero is given later, by a marker that decoders rarely follow.
      if (width_px === 0 || height_px === 0) return { problem: "the JPEG has no size" };
      return { width_px, height_px };
    }
    at += 2 + length;
  }
  return { problem: "the JPEG is cut off" };
}
