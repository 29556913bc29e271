// One engine: weights on a device and the states on it. Opens, steps, counts, closes.
// Must not know ticks, captions or where weights come from.

import { devices, formats, info_keys, targets } from "./_symbols.ts";
import { NativeError } from "./errors.ts";
import { leaks, type Library, openLibrary, type Out64, uint32 } from "./library.ts";
import { NativeState, type StateHost } from "./state.ts";

export interface EngineInfo {
  device: string;
  /** Which kernels run: "none" for echo, "plain", "avx2", "avx512", "vnni", "amx", "neon" or "cuda". */
  target: string;
  /** RWKV generation, 0 on the echo device. */
  rwkv_version: number;
  /** D: floats in one vector. */
  width: number;
  layers: number;
  vocab: number;
  /** Memory of one state in bytes: constant for ever. */
  state_bytes: number;
  blob_bytes: number;
  /** Size of a state exported as f16. */
  blob_half_bytes: number;
  weight_bytes: number;
  states_max: number;
  /** SHA-256 of the weights, hex. A state imports only into the model it came from. */
  model_hash: string;
}

export interface EngineOptions {
  /** Path of librwkv.so. */
  library_path: string;
  /** auto: what RWKV_DEVICE says, else the CPU. */
  device?: "auto" | "echo" | "cpu" | "cuda";
  /** A safetensors file; echo needs none. */
  weights_path?: string;
  /** What large matrices become while they are read, unless they have fewer bits already; else as in the file. */
  format?: keyof typeof formats;
  /** 1 to 65,536; their memory is allocated here. */
  states_max: number;
  /** 1 to 256 threads for a step; the results do not depend on it. */
  threads: number;
  /** Hears of an engine or a state that was collected before it was closed. */
  onLeak?: (sentence: string) => void;
}

const hash_bytes = 32;

function readInfo(library: Library, engine: bigint): EngineInfo {
  const out: Out64 = new BigUint64Array(1);
  const number = (key: keyof typeof info_keys) => {
    library.check(engine, library.symbols.rwkv_engine_info(engine, info_keys[key], out));
    return Number(out[0]);
  };
  const hash = new Uint8Array(hash_bytes);
  library.check(engine, library.symbols.rwkv_engine_model_hash(engine, hash, BigInt(hash_bytes)));
  const name = (table: Readonly<Record<string, number>>, number: number) =>
    Object.entries(table).find(([, value]) => value === number)?.[0] ?? `number ${number}`;
  return Object.freeze({
    device: name(devices, number("device")),
    target: name(targets, number("target")),
    rwkv_version: number("version"),
    width: number("width"),
    layers: number("layers"),
    vocab: number("vocab"),
    state_bytes: number("state_bytes"),
    blob_bytes: number("blob_bytes"),
    blob_half_bytes: number("blob_half_bytes"),
    weight_bytes: number("weight_bytes"),
    states_max: number("states_max"),
    model_hash: hash.toHex(),
  });
}

/** Made by openEngine. Every verb throws NativeError. */
export class NativeEngine implements AsyncDisposable {
  readonly info: EngineInfo;
  readonly #host: StateHost;
  #running: Promise<number> | undefined;
  #closing: Promise<void> | undefined;

  /** Takes over a loaded engine. Only openEngine calls this. */
  constructor(library: Library, engine: bigint, onLeak: ((sentence: string) => void) | undefined) {
    this.info = readInfo(library, engine);
    const { width, vocab, blob_bytes, blob_half_bytes } = this.info;
    this.#host = { library, engine, width, vocab, blob_bytes, blob_half_bytes, onLeak };
    library.hold();
    leaks.register(this, () => onLeak?.("An engine was collected before it was closed"), this);
  }

  get #open(): bigint {
    if (this.#closing) throw new NativeError("misuse", "Cannot use the engine: it is closed");
    return this.#host.engine;
  }

  #number(key: keyof typeof info_keys): number {
    const { library } = this.#host, out: Out64 = new BigUint64Array(1);
    library.check(this.#host.engine, library.symbols.rwkv_engine_info(this.#open, info_keys[key], out));
    return Number(out[0]);
  }

  get states_open(): number {
    return this.#number("states_open");
  }

  /** Steps taken and positions stepped since load, all states together. */
  counters(): { runs: number; tokens: number } {
    return { runs: this.#number("runs"), tokens: this.#number("tokens") };
  }

  /** A zero state. "full" when all states_max slots are taken. */
  open(): NativeState {
    const { library } = this.#host, out: Out64 = new BigUint64Array(1);
    library.check(this.#host.engine, library.symbols.rwkv_state_new(this.#open, out));
    return new NativeState(this.#host, out[0]!);
  }

  /** One bounded step for every state that has work, on another thread. "busy" while one is under way. */
  async run(): Promise<void> {
    if (this.#running) throw new NativeError("busy", "Cannot run: a run is under way");
    const { library } = this.#host;
    this.#running = library.symbols.rwkv_engine_run(this.#open);
    try {
      library.check(this.#host.engine, await this.#running);
    } finally {
      this.#running = undefined;
    }
  }

  /** Waits for a run under way. States may be closed before or after; twice is fine. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#running;
    leaks.unregister(this);
    this.#host.library.symbols.rwkv_engine_close(this.#host.engine);
    this.#host.library.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Opens the library and loads the weights, on another thread. Leaves nothing open when it throws. */
export async function openEngine(options: EngineOptions): Promise<NativeEngine> {
  const { library_path, device = "auto", weights_path, format = "as_file", states_max, threads, onLeak } =
    options;
  uint32(states_max, "states_max"), uint32(threads, "threads");
  const library = openLibrary(library_path);
  const out: Out64 = new BigUint64Array(1);
  const status = library.symbols.rwkv_engine_new(devices[device], states_max, threads, out);
  if (status !== 0) {
    library.closeUnused();
    throw NativeError.of(status, `Cannot make an engine of ${states_max} states and ${threads} threads`);
  }
  const engine = out[0]!;
  try {
    if (weights_path !== undefined) {
      const path = new TextEncoder().encode(weights_path);
      library.check(engine, library.symbols.rwkv_engine_put_path(engine, path, BigInt(path.length)));
    }
    library.check(engine, library.symbols.rwkv_engine_set_format(engine, formats[format]));
    library.check(engine, await library.symbols.rwkv_engine_load(engine));
    return new NativeEngine(library, engine, onLeak);
  } catch (error) {
    library.symbols.rwkv_engine_close(engine);
    library.closeUnused();
    throw error;
  }
}
