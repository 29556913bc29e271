// Testing addresses: a few at once, each ended by whoever asked or by the house closing. Must not know streams.
import { CapacityError } from "../errors.ts";
import { limits } from "./limits.ts";
import type { SourceFactory } from "./ports.ts";
import type { Probe, SourceSettings } from "./surface.ts";

export class Probing {
  #active_count = 0;

  constructor(readonly sources: SourceFactory, readonly closing: AbortSignal) {}

  /** Throws CapacityError probes_full. */
  async probe(source: SourceSettings, signal: AbortSignal = this.closing): Promise<Probe> {
    const { probes_max } = limits;
    if (this.#active_count >= probes_max) {
      throw new CapacityError(
        "probes_full",
        `Cannot test the address: ${probes_max} are being tested already`,
      );
    }
    const ended = AbortSignal.any([signal, this.closing]);
    if (ended.aborted) return { ok: false, reason: "nobody waits for the answer" };
    this.#active_count++;
    try {
      return await this.sources.probe(source, ended);
    } finally {
      this.#active_count--;
    }
  }
}
