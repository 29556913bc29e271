// The planes of a JPEG become RGB exactly as libjpeg makes them, which is what models were trained on: colour planes of
// half size are interpolated with its weights (3/4 and 1/4, "fancy upsampling"), then converted with its fixed-point
// tables. swscale differs in both, most at odd sizes. Formulas: IJG jdsample.c and jdcolor.c. Pure, but for its pauses.
// Must not know decoders.

/** How many luma samples share one of colour: columns, rows. */
export interface Sampling {
  across: 1 | 2;
  down: 1 | 2;
}

/** The sampling of a YCbCr JPEG; undefined for grey, RGB and CMYK ones, and for ratios that nobody uses. */
export function jpegSampling(jpeg: Uint8Array): Sampling | undefined {
  for (let at = 2; at + 9 < jpeg.length && jpeg[at] === 0xff;) {
    const marker = jpeg[at + 1]!;
    if (marker === 0xff) {
      at++;
      continue;
    }
    const length = jpeg[at + 2]! << 8 | jpeg[at + 3]!;
    const is_adobe = marker === 0xee && length >= 14 &&
      String.fromCharCode(...jpeg.subarray(at + 4, at + 9)) === "Adobe";
    // Its last byte says how colours were transformed: 0 is not at all.
    if (is_adobe && jpeg[at + 15] !== 1) return undefined;
    if (marker >= 0xc0 && marker <= 0xc2) return frameSampling(jpeg.subarray(at + 4, at + 2 + length));
    if (length < 2 || marker === 0xda) return undefined;
    at += 2 + length;
  }
  return undefined;
}

function frameSampling(frame: Uint8Array): Sampling | undefined {
  const [bits, , , , , components] = frame;
  if (bits !== 8 || components !== 3 || frame.length < 15) return undefined;
  const [luma, ...colours] = [6, 9, 12].map((at) => ({ id: frame[at]!, factors: frame[at + 1]! }));
  if (luma!.id !== 1 || colours[0]!.id !== 2 || colours[1]!.id !== 3) return undefined;
  if (colours.some(({ factors }) => factors !== 0x11)) return undefined;
  if (luma!.factors === 0x11) return { across: 1, down: 1 };
  if (luma!.factors === 0x21) return { across: 2, down: 1 };
  return luma!.factors === 0x22 ? { across: 2, down: 2 } : undefined;
}

export interface Planes extends Sampling {
  width_px: number;
  height_px: number;
  /** Luma, then both colours, each row by row, without gaps. */
  bytes: Uint8Array;
}

export function planeBytes({ width_px, height_px, across, down }: Omit<Planes, "bytes">): number {
  return width_px * height_px + 2 * Math.ceil(width_px / across) * Math.ceil(height_px / down);
}

/** Where pixels go: pixel (x, y) to start + x * right + y * down, in pixels. */
export interface Turn {
  start: number;
  right: number;
  down: number;
}

/** How a picture is turned upright, per EXIF orientation 1 to 8. */
export function turnOf(orientation: number, width_px: number, height_px: number): Turn {
  // In the upright picture: how wide it is, where the stored corner lands, and which way rows and columns run.
  const wide = orientation >= 5 ? height_px : width_px, high = orientation >= 5 ? width_px : height_px;
  const bottom = (high - 1) * wide, end = wide - 1;
  const turns: Record<number, Turn> = {
    1: { start: 0, right: 1, down: wide },
    2: { start: end, right: -1, down: wide },
    3: { start: bottom + end, right: -1, down: -wide },
    4: { start: bottom, right: 1, down: -wide },
    5: { start: 0, right: wide, down: 1 },
    6: { start: end, right: wide, down: -1 },
    7: { start: bottom + end, right: -wide, down: -1 },
    8: { start: bottom, right: -wide, down: 1 },
  };
  return turns[orientation]!;
}

const pause_px = 1_000_000;

/** RGB of the planes, turned. Others have their turn in between: 50 million pixels take a second. */
export async function toRgb(planes: Planes, turn: Turn): Promise<Uint8Array<ArrayBuffer>> {
  const { width_px, height_px, across, down, bytes } = planes;
  const rgb = new Uint8Array(width_px * height_px * 3);
  const colour_width = Math.ceil(width_px / across), colour_height = Math.ceil(height_px / down);
  const blue = bytes.subarray(width_px * height_px, width_px * height_px + colour_width * colour_height);
  const red = bytes.subarray(width_px * height_px + colour_width * colour_height);
  const blues = new Uint8Array(2 * colour_width), reds = new Uint8Array(2 * colour_width);
  let since_pause = 0;
  for (let y = 0; y < height_px; y++) {
    const row = { y, down, across, colour_width, colour_height };
    widen(blue, blues, row);
    widen(red, reds, row);
    let at = 3 * (turn.start + y * turn.down);
    const step = 3 * turn.right, luma_row = y * width_px;
    for (let x = 0; x < width_px; x++, at += step) {
      const luma = bytes[luma_row + x]!, cb = blues[x]! - 128, cr = reds[x]! - 128;
      rgb[at] = clamp(luma + (91_881 * cr + 32_768 >> 16));
      rgb[at + 1] = clamp(luma + (-22_554 * cb - 46_802 * cr + 32_768 >> 16));
      rgb[at + 2] = clamp(luma + (116_130 * cb + 32_768 >> 16));
    }
    since_pause += width_px;
    if (since_pause < pause_px) continue;
    since_pause = 0;
    await new Promise((resolve) => setTimeout(resolve));
  }
  return rgb;
}

function clamp(value: number): number {
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

interface ColourRow {
  /** Row of the picture. */
  y: number;
  across: number;
  down: number;
  colour_width: number;
  colour_height: number;
}

/** One row of a colour plane at the width of the picture. */
function widen(plane: Uint8Array, out: Uint8Array, row: ColourRow): void {
  const { y, across, down, colour_width: width, colour_height } = row;
  const near_row = down === 2 ? y >> 1 : y;
  const near = near_row * width;
  if (across === 1) {
    out.set(plane.subarray(near, near + width));
    return;
  }
  if (width <= 2) {
    for (let x = 0; x < width; x++) out[2 * x] = out[2 * x + 1] = plane[near + x]!;
    return;
  }
  if (down === 1) {
    for (let x = 0; x < width; x++) {
      const here = plane[near + x]!;
      out[2 * x] = x === 0 ? here : 3 * here + plane[near + x - 1]! + 1 >> 2;
      out[2 * x + 1] = x === width - 1 ? here : 3 * here + plane[near + x + 1]! + 2 >> 2;
    }
    return;
  }
  const far_row = Math.min(Math.max(near_row + (y & 1 ? 1 : -1), 0), colour_height - 1);
  const far = far_row * width;
  let last = 0, here = 3 * plane[near]! + plane[far]!;
  for (let x = 0; x < width; x++) {
    const next = x + 1 < width ? 3 * plane[near + x + 1]! + plane[far + x + 1]! : here;
    out[2 * x] = x === 0 ? 4 * here + 8 >> 4 : 3 * here + last + 8 >> 4;
    out[2 * x + 1] = x === width - 1 ? 4 * here + 7 >> 4 : 3 * here + next + 7 >> 4;
    last = here;
    here = next;
  }
}
