// One picture of a thing, ready to be drawn at any size: cut to what is visible, made square, halved again and again.
// Colours are premultiplied by opacity. Must not know things, styles or frames.

/** Row-major RGBA, side x side x 4, premultiplied. */
export interface Mip {
  side: number;
  rgba: Uint8Array;
}

/** Largest first, each half the one before. */
export type Sprite = readonly Mip[];

export const sprite_side_px = 128;
const smallest_side_px = 8;

/** The picture and its halvings. */
export function withHalves(largest: Mip): Sprite {
  const mips = [largest];
  while (mips.at(-1)!.side > smallest_side_px) mips.push(halve(mips.at(-1)!));
  return mips;
}

/** From straight RGBA of any size. Undefined when nothing is visible. */
export function makeSprite(rgba: Uint8Array, width: number, height: number): Sprite | undefined {
  const box = visibleBox(rgba, width, height);
  if (!box) return undefined;
  return withHalves({ side: sprite_side_px, rgba: fitSquare(rgba, width, box, sprite_side_px) });
}

interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

function visibleBox(rgba: Uint8Array, width: number, height: number): Box | undefined {
  let left = width, top = height, right = -1, bottom = -1;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (rgba[4 * (y * width + x) + 3]! < 8) continue;
      left = Math.min(left, x),
        right = Math.max(right, x),
        top = Math.min(top, y),
        bottom = Math.max(bottom, y);
    }
  }
  return right < 0 ? undefined : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/** The box, centred in a square, averaged over the source pixels that each target pixel covers. */
function fitSquare(rgba: Uint8Array, stride: number, box: Box, side: number): Uint8Array {
  const out = new Uint8Array(side * side * 4);
  const scale = Math.max(box.width, box.height) / side;
  const from_x = box.left + (box.width - scale * side) / 2,
    from_y = box.top + (box.height - scale * side) / 2;
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const sum = [0, 0, 0, 0];
      let count = 0;
      for (let sub = 0; sub < 9; sub++) {
        const px = Math.floor(from_x + (x + (sub % 3 + 0.5) / 3) * scale);
        const py = Math.floor(from_y + (y + (Math.floor(sub / 3) + 0.5) / 3) * scale);
        count++;
        if (px < box.left || py < box.top || px >= box.left + box.width || py >= box.top + box.height) {
          continue;
        }
        const at = 4 * (py * stride + px), alpha = rgba[at + 3]!;
        for (let c = 0; c < 3; c++) sum[c]! += rgba[at + c]! * alpha / 255;
        sum[3]! += alpha;
      }
      for (let c = 0; c < 4; c++) out[4 * (y * side + x) + c] = Math.round(sum[c]! / count);
    }
  }
  return out;
}

function halve({ side, rgba }: Mip): Mip {
  const half = side >> 1, out = new Uint8Array(half * half * 4);
  for (let y = 0; y < half; y++) {
    for (let x = 0; x < half; x++) {
      for (let c = 0; c < 4; c++) {
        const at = 4 * (2 * y * side + 2 * x) + c;
        const sum = rgba[at]! + rgba[at + 4]! + rgba[at + 4 * side]! + rgba[at + 4 * side + 4]!;
        out[4 * (y * half + x) + c] = (sum + 2) >> 2;
      }
    }
  }
  return { side: half, rgba: out };
}

/** How a sprite is changed when it is drawn: augmentation for training, the identity otherwise. */
export interface Look {
  /** Multiplies red, green and blue. */
  tint: readonly [number, number, number];
  mirrored: boolean;
}

export const plain_look: Look = { tint: [1, 1, 1], mirrored: false };

/** Draws onto row-major float RGB (0..255), centre and side in pixels, rotated clockwise; parts outside are cut off. */
export function drawSprite(
  frame: Float32Array,
  width: number,
  height: number,
  sprite: Sprite,
  at: { x: number; y: number; side: number; angle_deg: number },
  { tint, mirrored }: Look = plain_look,
): void {
  const mip = sprite.findLast(({ side }) => side >= at.side) ?? sprite[0]!;
  const scale = mip.side / at.side;
  const angle = at.angle_deg * Math.PI / 180, cos = Math.cos(angle) * scale, sin = Math.sin(angle) * scale;
  const reach = at.side * (Math.abs(Math.cos(angle)) + Math.abs(Math.sin(angle))) / 2 + 1;
  const x_end = Math.min(width, Math.ceil(at.x + reach)), y_end = Math.min(height, Math.ceil(at.y + reach));
  const middle = mip.side / 2;
  const texel = [0, 0, 0, 0];
  for (let y = Math.max(0, Math.floor(at.y - reach)); y < y_end; y++) {
    for (let x = Math.max(0, Math.floor(at.x - reach)); x < x_end; x++) {
      const dx = x + 0.5 - at.x, dy = y + 0.5 - at.y;
      const u = cos * dx + sin * dy;
      sampleTexel(mip, middle + (mirrored ? -u : u) - 0.5, middle - sin * dx + cos * dy - 0.5, texel);
      if (texel[3] === 0) continue;
      const rest = 1 - texel[3]! / 255, to = 3 * (y * width + x);
      for (let c = 0; c < 3; c++) {
        frame[to + c] = frame[to + c]! * rest + Math.min(texel[3]!, texel[c]! * tint[c]!);
      }
    }
  }
}

/** Bilinear, nothing outside. */
function sampleTexel({ side, rgba }: Mip, u: number, v: number, out: number[]): void {
  out[0] =
    out[1] =
    out[2] =
    out[3] =
      0;
  const x = Math.floor(u), y = Math.floor(v);
  if (x < -1 || y < -1 || x >= side || y >= side) return;
  for (let dy = 0; dy < 2; dy++) {
    const row = y + dy, weight_y = dy === 0 ? 1 - (v - y) : v - y;
    if (row < 0 || row >= side) continue;
    for (let dx = 0; dx < 2; dx++) {
      const column = x + dx;
      if (column < 0 || column >= side) continue;
      const weight = weight_y * (dx === 0 ? 1 - (u - x) : u - x), at = 4 * (row * side + column);
      for (let c = 0; c < 4; c++) out[c]! += weight * rgba[at + c]!;
    }
  }
}
