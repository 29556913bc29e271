// How a JPEG is to be turned so that it stands upright: the orientation its camera wrote beside the pixels. Pure.
// Must not know decoders.

/** 1 to 8, as EXIF 2.32 numbers them (tag 0x0112); 1 when the file says nothing that can be read. */
export function exifOrientation(jpeg: Uint8Array): number {
  const view = new DataView(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength);
  for (let at = 2; at + 4 <= view.byteLength && view.getUint8(at) === 0xff;) {
    const marker = view.getUint8(at + 1);
    // Frame or scan: whatever describes the file comes before.
    if (marker >= 0xc0 && marker <= 0xcf || marker === 0xda) return 1;
    const length = view.getUint16(at + 2), end = at + 2 + length;
    if (length < 2 || end > view.byteLength) return 1;
    const is_exif = marker === 0xe1 && length >= 16 && view.getUint32(at + 4) === 0x45786966;
    if (is_exif) return readTiff(new DataView(jpeg.buffer, jpeg.byteOffset + at + 10, length - 8));
    at = end;
  }
  return 1;
}

/** The orientation in the first directory of a TIFF structure. */
function readTiff(tiff: DataView): number {
  const order = tiff.getUint16(0);
  const little = order === 0x4949;
  if (!little && order !== 0x4d4d) return 1;
  const directory = tiff.getUint32(4, little);
  if (directory + 2 > tiff.byteLength) return 1;
  const count = tiff.getUint16(directory, little);
  for (let entry = 0; entry < count; entry++) {
    const at = directory + 2 + 12 * entry;
    if (at + 12 > tiff.byteLength) return 1;
    if (tiff.getUint16(at, little) !== 0x0112) continue;
    const value = tiff.getUint16(at + 8, little);
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}
