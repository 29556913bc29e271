// The pickle of a dictionary of tensors, as torch.save describes one: only opcodes and names that every loader takes, the
// strict ones of newer torch (weights_only) included. Must not know archives.

export interface PickledTensor {
  name: string;
  dims: readonly number[];
  /** Name of its storage in the archive, which it fills. */
  key: string;
}

const storage_classes = { f32: "FloatStorage", bf16: "BFloat16Storage" } as const;

/** data.pkl: protocol 2, tensors in the order given. */
export function pickleTensors(
  tensors: Iterable<PickledTensor>,
  type: keyof typeof storage_classes,
): Uint8Array<ArrayBuffer> {
  const out = new Pickler();
  out.raw(0x80, 2).raw(0x7d, 0x28); // EMPTY_DICT, MARK
  for (const { name, dims, key } of tensors) {
    const elements = dims.reduce((product, size) => product * size, 1);
    out.text(name);
    out.global("torch._utils", "_rebuild_tensor_v2").raw(0x28);
    out.raw(0x28).text("storage").global("torch", storage_classes[type]).text(key).text("cpu").int(elements);
    out.raw(0x74, 0x51); // TUPLE, BINPERSID
    out.int(0).ints(dims).ints(stridesOf(dims)).raw(0x89); // offset, size, stride, NEWFALSE: needs no gradient
    out.global("collections", "OrderedDict").raw(0x29, 0x52); // EMPTY_TUPLE, REDUCE: no hooks
    out.raw(0x74, 0x52); // TUPLE, REDUCE
  }
  return out.raw(0x75, 0x2e).whole(); // SETITEMS, STOP
}

/** Row-major, in elements. */
function stridesOf(dims: readonly number[]): number[] {
  const strides: number[] = [];
  let stride = 1;
  for (const size of dims.toReversed()) {
    strides.unshift(stride);
    stride *= Math.max(1, size);
  }
  return strides;
}

class Pickler {
  readonly #bytes: number[] = [];

  raw(...bytes: number[]): this {
    this.#bytes.push(...bytes);
    return this;
  }

  /** BINUNICODE */
  text(text: string): this {
    const bytes = new TextEncoder().encode(text);
    return this.raw(0x58).#little(bytes.length, 4).raw(...bytes);
  }

  global(module: string, name: string): this {
    return this.raw(0x63, ...new TextEncoder().encode(`${module}\n${name}\n`));
  }

  /** BININT1, BININT2, BININT or LONG1; not negative. */
  int(value: number): this {
    if (value < 2 ** 8) return this.raw(0x4b, value);
    if (value < 2 ** 16) return this.raw(0x4d).#little(value, 2);
    if (value < 2 ** 31) return this.raw(0x4a).#little(value, 4);
    return this.raw(0x8a, 8).#little(value, 8);
  }

  /** MARK, the numbers, TUPLE */
  ints(values: readonly number[]): this {
    this.raw(0x28);
    for (const value of values) this.int(value);
    return this.raw(0x74);
  }

  whole(): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(this.#bytes);
  }

  #little(value: number, byte_count: number): this {
    for (let left = value, i = 0; i < byte_count; i++, left = Math.floor(left / 256)) {
      this.#bytes.push(left % 256);
    }
    return this;
  }
}
