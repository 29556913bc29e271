// Puts a view with strides (a transposed matrix) into row-major order while it is read, in bounded memory.
// Must not know element types or containers.
import type { ByteSource } from "./byte_source.ts";
import { import_limits } from "./limits.ts";

/** Strides count elements. The caller has checked that every element lies inside the source. */
export interface StridedView {
  /** Byte offset of the first element. */
  offset: number;
  element_bytes: number;
  shape: readonly number[];
  strides: readonly number[];
}

export type GatherBounds = Record<"piece_elements" | "gather_elements" | "gather_read_bytes", number>;

interface Dimension {
  size: number;
  stride: number;
}

/** Whether the elements stand in row-major order without gaps. Strides of dimensions of size 1 do not matter. */
export function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  const dimensions = simplify(shape, strides);
  return shape.includes(0) || dimensions.length === 0 ||
    dimensions.length === 1 && dimensions[0]!.stride === 1;
}

/** Row-major bytes in pieces of at most `piece_elements`. */
export async function* readStrided(
  source: ByteSource,
  view: StridedView,
  bounds: GatherBounds = import_limits,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  if (view.shape.includes(0)) return;
  const dimensions = simplify(view.shape, view.strides);
  const piece_bytes = bounds.piece_elements * view.element_bytes;
  for (const box of boxes(dimensions, bounds.gather_elements)) {
    const bytes = await readBox(source, view, box, bounds.gather_read_bytes);
    for (let at = 0; at < bytes.length; at += piece_bytes) yield bytes.slice(at, at + piece_bytes);
  }
}

/** Without dimensions of size 1, and neighbours that act as one joined. */
function simplify(shape: readonly number[], strides: readonly number[]): Dimension[] {
  const out: Dimension[] = [];
  shape.forEach((size, i) => {
    const stride = strides[i]!;
    const last = out.at(-1);
    if (size === 1) return;
    if (last && last.stride === stride * size) out[out.length - 1] = { size: last.size * size, stride };
    else out.push({ size, stride });
  });
  return out;
}

interface Box {
  /** In elements, from the view's first. */
  start: number;
  dimensions: Dimension[];
}

/** The view as boxes of at most `elements_max`, in row-major order. */
function* boxes(dimensions: readonly Dimension[], elements_max: number): Generator<Box> {
  let split = dimensions.length;
  let inner = 1;
  while (split > 0 && inner * dimensions[split - 1]!.size <= elements_max) {
    inner *= dimensions[--split]!.size;
  }
  const whole = dimensions.slice(split);
  if (split === 0) return yield { start: 0, dimensions: whole };
  // The dimension before `split` is cut into ranges; those before it are gone through one by one.
  const cut = dimensions[split - 1]!;
  const range = Math.max(1, Math.floor(elements_max / inner));
  for (const outer of starts(dimensions.slice(0, split - 1))) {
    for (let first = 0; first < cut.size; first += range) {
      const size = Math.min(range, cut.size - first);
      const start = outer + first * cut.stride;
      yield { start, dimensions: [{ size, stride: cut.stride }, ...whole] };
    }
  }
}

/** The sum of index · stride for every combination of indices, the last dimension fastest. */
function* starts(dimensions: readonly Dimension[]): Generator<number> {
  const index = dimensions.map(() => 0);
  let start = 0;
  for (;;) {
    yield start;
    let d = dimensions.length - 1;
    for (; d >= 0; d--) {
      const { size, stride } = dimensions[d]!;
      start += stride;
      if (++index[d]! < size) break;
      start -= size * stride;
      index[d] = 0;
    }
    if (d < 0) return;
  }
}

async function readBox(
  source: ByteSource,
  view: StridedView,
  { start, dimensions }: Box,
  read_bytes_max: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const { element_bytes } = view;
  const count = dimensions.reduce((product, { size }) => product * size, 1);
  const to = words(new Uint8Array(count * element_bytes), element_bytes);
  const window = Math.max(1, Math.floor(read_bytes_max / element_bytes));
  /** Slab by slab along the widest stride, gaps included: few long reads are cheaper than many that fit. */
  const fill = async (from_start: number, to_start: number, steps: readonly Step[]) => {
    const span = steps.reduce((sum, { size, stride }) => sum + (size - 1) * stride, 1);
    if (span <= window) {
      const bytes = await source.read(view.offset + from_start * element_bytes, span * element_bytes);
      return scatter(words(bytes, element_bytes), to, to_start, steps);
    }
    const far = steps.reduce((widest, step) => step.stride > widest.stride ? step : widest);
    const room = window - (span - (far.size - 1) * far.stride);
    const slab = room < 0 ? 1 : Math.floor(room / far.stride) + 1;
    for (let first = 0; first < far.size; first += slab) {
      const size = Math.min(slab, far.size - first);
      const inside = steps.flatMap((step) => step !== far ? [step] : size === 1 ? [] : [{ ...far, size }]);
      await fill(from_start + first * far.stride, to_start + first * far.to_stride, inside);
    }
  };
  await fill(start, 0, rowMajor(dimensions));
  return new Uint8Array(to.buffer);
}

interface Step extends Dimension {
  to_stride: number;
}

function rowMajor(dimensions: readonly Dimension[]): Step[] {
  let to_stride = 1;
  return dimensions.toReversed().map((dimension) => {
    const step = { ...dimension, to_stride };
    to_stride *= dimension.size;
    return step;
  }).reverse();
}

type Words =
  | Uint8Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | BigUint64Array<ArrayBuffer>;

/** Whole elements, so that one assignment moves one, bit for bit. */
function words({ buffer }: Uint8Array<ArrayBuffer>, element_bytes: number): Words {
  if (element_bytes === 8) return new BigUint64Array(buffer);
  if (element_bytes === 4) return new Uint32Array(buffer);
  return element_bytes === 2 ? new Uint16Array(buffer) : new Uint8Array(buffer);
}

function scatter(from: Words, to: Words, to_start: number, steps: readonly Step[]): void {
  const inner = steps.at(-1);
  const outer = steps.slice(0, -1);
  const targets = starts(outer.map(({ size, to_stride }) => ({ size, stride: to_stride })));
  for (const from_start of starts(outer)) {
    let source = from_start;
    let target = to_start + targets.next().value!;
    for (let i = inner?.size ?? 1; i > 0; i--) {
      to[target] = from[source]!;
      source += inner?.stride ?? 1;
      target += inner?.to_stride ?? 1;
    }
  }
}
