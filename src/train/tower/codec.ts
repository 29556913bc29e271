// What is left of frames behind a codec: colours at half the size, 8 x 8 blocks whose waves are rounded, and blocks that
// hardly changed taken over from the frame before. Not a real codec; cheap enough for every third training picture.
// Must not know what the frames show.

export interface CodecRules {
  codec_step: number;
  codec_skip: number;
  codec_offset: number;
}

const block = 8;
/** waves[k * 8 + i]: value at i of the k-th wave, orthonormal. */
const waves = Float32Array.from({ length: 64 }, (_, at) => {
  const wave = at >> 3, place = at & 7;
  return Math.sqrt((wave === 0 ? 1 : 2) / 8) * Math.cos(Math.PI * wave * (2 * place + 1) / 16);
});

/** Frames of side x side float RGB, in order of time; the side must be a multiple of 16. */
export function passCodec(frames: readonly Float32Array[], side: number, rules: CodecRules): void {
  let before: Float32Array | undefined, decoded_before: Float32Array | undefined;
  for (const frame of frames) {
    const seen = rules.codec_skip > 0 ? frame.slice() : undefined;
    passFrame(frame, side, rules);
    if (seen && before && decoded_before) skipBlocks(frame, decoded_before, seen, before, side, rules);
    before = seen;
    decoded_before = frame;
  }
}

function passFrame(frame: Float32Array, side: number, { codec_step, codec_offset }: CodecRules): void {
  const half = side >> 1, pixels = side * side;
  const luma = new Float32Array(pixels),
    blue = new Float32Array(pixels >> 2),
    red = new Float32Array(pixels >> 2);
  for (let y = 0, at = 0; y < side; y++) {
    for (let x = 0; x < side; x++, at++) {
      const r = frame[3 * at]!, g = frame[3 * at + 1]!, b = frame[3 * at + 2]!;
      const light = 0.299 * r + 0.587 * g + 0.114 * b, small = (y >> 1) * half + (x >> 1);
      luma[at] = light;
      blue[small] = blue[small]! + 0.25 * 0.564 * (b - light);
      red[small] = red[small]! + 0.25 * 0.713 * (r - light);
    }
  }
  roundWaves(luma, side, codec_step, codec_offset);
  roundWaves(blue, half, codec_step * 1.5, codec_offset >> 1);
  roundWaves(red, half, codec_step * 1.5, codec_offset >> 1);
  for (let y = 0, at = 0; y < side; y++) {
    for (let x = 0; x < side; x++, at++) {
      const small = (y >> 1) * half + (x >> 1), light = luma[at]!, b = blue[small]!, r = red[small]!;
      frame[3 * at] = light + 1.403 * r;
      frame[3 * at + 1] = light - 0.344 * b - 0.714 * r;
      frame[3 * at + 2] = light + 1.773 * b;
    }
  }
}

const values = new Float32Array(64), turned = new Float32Array(64);

/** The grid begins at `offset` and goes on at the other border, so that every block is whole. */
function roundWaves(plane: Float32Array, side: number, step: number, offset: number): void {
  for (let top = 0; top < side; top += block) {
    for (let left = 0; left < side; left += block) {
      for (let i = 0; i < 64; i++) {
        values[i] = plane[(top + (i >> 3) + offset) % side * side + (left + (i & 7) + offset) % side]!;
      }
      analyse(values, turned);
      analyse(turned, values);
      for (let i = 0; i < 64; i++) {
        const size = step * (1 + 0.35 * ((i >> 3) + (i & 7)));
        values[i] = Math.round(values[i]! / size) * size;
      }
      rebuild(values, turned);
      rebuild(turned, values);
      for (let i = 0; i < 64; i++) {
        plane[(top + (i >> 3) + offset) % side * side + (left + (i & 7) + offset) % side] = values[i]!;
      }
    }
  }
}

/** Each row becomes its waves; rows and columns change places. */
function analyse(from: Float32Array, to: Float32Array): void {
  for (let row = 0; row < 64; row += 8) {
    for (let wave = 0; wave < 8; wave++) {
      let sum = 0;
      for (let i = 0; i < 8; i++) sum += from[row + i]! * waves[8 * wave + i]!;
      to[8 * wave + (row >> 3)] = sum;
    }
  }
}

/** The way back; rows and columns change places. */
function rebuild(from: Float32Array, to: Float32Array): void {
  for (let row = 0; row < 64; row += 8) {
    for (let i = 0; i < 8; i++) {
      let sum = 0;
      for (let wave = 0; wave < 8; wave++) sum += from[row + wave]! * waves[8 * wave + i]!;
      to[8 * i + (row >> 3)] = sum;
    }
  }
}

function skipBlocks(
  frame: Float32Array,
  decoded_before: Float32Array,
  seen: Float32Array,
  before: Float32Array,
  side: number,
  { codec_skip, codec_offset }: CodecRules,
): void {
  const wide = 2 * block;
  for (let top = 0; top < side; top += wide) {
    for (let left = 0; left < side; left += wide) {
      const place = (i: number) =>
        3 * ((top + (i >> 4) + codec_offset) % side * side + (left + (i & 15) + codec_offset) % side);
      let change = 0;
      for (let i = 0; i < wide * wide; i++) {
        const at = place(i), green = seen[at + 1]! - before[at + 1]!;
        change += green < 0 ? -green : green;
      }
      if (change > codec_skip * wide * wide) continue;
      for (let i = 0; i < wide * wide; i++) {
        const at = place(i);
        for (let c = 0; c < 3; c++) frame[at + c] = decoded_before[at + c]!;
      }
    }
  }
}
