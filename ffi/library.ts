// Opens the native library, explicitly and with its ABI version checked; importing this file opens nothing.
// Must not know engines and states beyond that they hold the library open.

import { abi_version, statuses, symbols } from "./_symbols.ts";
import { NativeError } from "./errors.ts";

/** An out-parameter of 64 bits: a handle, a size, a count. */
export type Out64 = BigUint64Array<ArrayBuffer>;
/** Buffers go across as they are; the types of TypeScript forbid shared memory, the runtime does not. */
export type Bytes = Uint8Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Float32Array<ArrayBuffer>;

const one_byte = new Uint8Array(1);
const sentence_bytes = 1024;

/** An empty array would cross as NULL, which some verbs refuse: a byte that is never read goes instead. */
export function pointable(array: Bytes): Bytes {
  return array.length > 0 ? array : one_byte;
}

/** Runs the report of an object that was collected before it was closed. It must outlive every engine. */
export const leaks: FinalizationRegistry<() => void> = new FinalizationRegistry((report) => report());

/** A whole number of 32 bits, checked here: at the boundary -1 would wrap and 1.5 would lose its half. */
export function uint32(value: number, name: string): number {
  if (Number.isInteger(value) && value >= 0 && value <= 0xffffffff) return value;
  throw new NativeError("misuse", `Cannot use ${name} ${value}: it is not a whole number of 32 bits`);
}

export class Library {
  readonly #dylib: Deno.DynamicLibrary<typeof symbols>;
  #holder_count = 0;

  constructor(dylib: Deno.DynamicLibrary<typeof symbols>) {
    this.#dylib = dylib;
  }

  get symbols(): Deno.DynamicLibrary<typeof symbols>["symbols"] {
    return this.#dylib.symbols;
  }

  /** Keeps the library open; every engine and every state does. */
  hold(): void {
    this.#holder_count++;
  }

  /** The last holder to let go closes the library. */
  release(): void {
    if (--this.#holder_count === 0) this.#dylib.close();
  }

  /** For a library that nothing holds: closes it. */
  closeUnused(): void {
    if (this.#holder_count === 0) this.#dylib.close();
  }

  /** Throws a NativeError with the sentence that the engine keeps, unless `status` is 0. */
  check(engine: bigint, status: number): void {
    if (status !== statuses.ok) throw NativeError.of(status, this.#sentence(engine));
  }

  #sentence(engine: bigint): string {
    const bytes = new Uint8Array(sentence_bytes), length: Out64 = new BigUint64Array(1);
    this.symbols.rwkv_engine_sentence(engine, bytes, BigInt(bytes.length), length);
    return new TextDecoder().decode(bytes.subarray(0, Math.min(Number(length[0]), bytes.length)));
  }
}

/**
 * Opens the shared library at `path` (needs `--allow-ffi=PATH`, nothing wider).
 * Throws NativeError: "file" when it cannot be opened, "misuse" when it was built from another header.
 */
export function openLibrary(path: string): Library {
  let dylib: Deno.DynamicLibrary<typeof symbols>;
  try {
    dylib = Deno.dlopen(path, symbols);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new NativeError("file", `Cannot open library "${path}": ${reason}`, { cause });
  }
  const version = dylib.symbols.rwkv_abi_version();
  if (version !== abi_version) {
    dylib.close();
    const sentence =
      `Cannot use library "${path}": it has ABI version ${version}, not ${abi_version}; build it again`;
    throw new NativeError("misuse", sentence);
  }
  return new Library(dylib);
}
