// Pictures of any size resized as Pillow does it: horizontally first, rounded and cut to 8 bits after each pass. A
// window of the result can be had alone, with the same bits. Must not know towers.
import type { Picture, Rectangle, Size } from "./picture.ts";
import { type AxisWeights, axisWeights, type Filter, weight_bits } from "./resize_weights.ts";

const channels = 3;
const half = 1 << (weight_bits - 1);

export interface Resizing {
  /** The part of the picture that is resized. */
  source: Rectangle;
  /** What `source` is resized to. */
  size: Size;
  /** The part of the result that is wanted. */
  window: Rectangle;
  filter: Filter;
}

/** True when the wanted pixels are the picture's own, unchanged and in place. */
export function isUnchanged({ width_px, height_px }: Size, { source, size, window }: Resizing): boolean {
  return [source, size, window].every((part) => part.width_px === width_px && part.height_px === height_px);
}

/**
 * The window of the resized source, window.width x window.height x 3, written to `out` (as large at least). Memory: as
 * many rows of the window's width as one output row reads.
 */
export function resizeInto(out: Uint8Array, picture: Picture, resizing: Resizing): void {
  const { source, size, window, filter } = resizing;
  const row_bytes = window.width_px * channels;
  // A pass that changes nothing is left out, as Pillow does; the rows are then read where they lie.
  const across = source.width_px === size.width_px ? undefined : axisWeights(
    filter,
    source.width_px,
    size.width_px,
    window.left_px,
    window.width_px,
  );
  const down = source.height_px === size.height_px ? undefined : axisWeights(
    filter,
    source.height_px,
    size.height_px,
    window.top_px,
    window.height_px,
  );
  const { rgb, width_px } = picture;
  const sourceRow = (row: number) => ((source.top_px + row) * width_px + source.left_px) * channels;
  if (down === undefined) {
    for (let row = 0; row < window.height_px; row++) {
      const begin = sourceRow(window.top_px + row);
      if (across !== undefined) resizeRow(rgb, begin, across, out, row * row_bytes);
      else copyRow(rgb, begin + window.left_px * channels, out, row * row_bytes, row_bytes);
    }
    return;
  }
  // Rows that were resized across, each in the place of its number modulo the rows one output can read.
  const kept_rows = down.taps;
  const kept = new Uint8Array(kept_rows * row_bytes);
  const sums = new Int32Array(row_bytes);
  let next_row = 0;
  for (let row = 0; row < window.height_px; row++) {
    const start = down.starts[row];
    const count = down.counts[row];
    for (next_row = Math.max(next_row, start); next_row < start + count; next_row++) {
      const place = (next_row % kept_rows) * row_bytes;
      const begin = sourceRow(next_row);
      if (across !== undefined) resizeRow(rgb, begin, across, kept, place);
      else copyRow(rgb, begin + window.left_px * channels, kept, place, row_bytes);
    }
    sums.fill(half);
    for (let tap = 0; tap < count; tap++) {
      addRow(sums, kept, ((start + tap) % kept_rows) * row_bytes, down.weights[row * down.taps + tap]);
    }
    writeRow(sums, out, row * row_bytes);
  }
}

function copyRow(from: Uint8Array, begin: number, to: Uint8Array, place: number, bytes: number): void {
  to.set(from.subarray(begin, begin + bytes), place);
}

/** One row across. Sums stay inside 32 bits: the weights of an output add up to 1, and their sizes to less than 2. */
function resizeRow(
  rgb: Uint8Array,
  begin: number,
  { starts, counts, weights, taps }: AxisWeights,
  out: Uint8Array,
  place: number,
): void {
  for (let column = 0; column < starts.length; column++) {
    let red = half, green = half, blue = half;
    let at = begin + starts[column] * channels;
    const first = column * taps;
    const end = first + counts[column];
    for (let tap = first; tap < end; tap++, at += channels) {
      const weight = weights[tap];
      red = (red + Math.imul(rgb[at], weight)) | 0;
      green = (green + Math.imul(rgb[at + 1], weight)) | 0;
      blue = (blue + Math.imul(rgb[at + 2], weight)) | 0;
    }
    out[place++] = toByte(red);
    out[place++] = toByte(green);
    out[place++] = toByte(blue);
  }
}

function addRow(sums: Int32Array, rows: Uint8Array, begin: number, weight: number): void {
  for (let index = 0; index < sums.length; index++) {
    sums[index] = (sums[index] + Math.imul(rows[begin + index], weight)) | 0;
  }
}

function writeRow(sums: Int32Array, out: Uint8Array, place: number): void {
  for (let index = 0; index < sums.length; index++) out[place + index] = toByte(sums[index]);
}

function toByte(sum: number): number {
  const value = sum >> weight_bits;
  return value < 0 ? 0 : value > 255 ? 255 : value;
}
