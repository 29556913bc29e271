// The generated table against the header, and the generator against headers it must not misread.
import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";

import { symbols } from "../../ffi/_symbols.ts";
import { drift, generate } from "../../ffi/gen_symbols.ts";

const header = await Deno.readTextFile(new URL("../../native/include/rwkv.h", import.meta.url));
const table = await Deno.readTextFile(new URL("../../ffi/_symbols.ts", import.meta.url));

describe("gen_symbols", () => {
  it("_symbols.ts is what rwkv.h says", () => {
    expect(drift(table, generate(header))).toEqual([]);
  });

  it("only the verbs that block leave the thread", () => {
    const nonblocking = Object.entries(symbols).filter(([, symbol]) => "nonblocking" in symbol);
    expect(nonblocking.map(([name]) => name)).toEqual(["rwkv_engine_load", "rwkv_engine_run"]);
  });

  it("a changed signature, constant or version is drift", () => {
    const changes: [string, string][] = [
      ["uint32_t tokens_max, uint64_t seed", "uint64_t tokens_max, uint64_t seed"],
      ["#define RWKV_FULL -5", "#define RWKV_FULL -15"],
      ["#define RWKV_ABI_VERSION 3", "#define RWKV_ABI_VERSION 4"],
      ["/* blocks: one bounded", "/* one bounded"],
    ];
    for (const [from, to] of changes) {
      expect(header).toContain(from);
      const lines = drift(table, generate(header.replace(from, to)));
      expect(lines.some((line) => line.startsWith("- "))).toBe(true);
      expect(lines.some((line) => line.startsWith("+ "))).toBe(true);
    }
  });

  it("what it does not understand is refused, not left out", () => {
    const add = (line: string) => () => generate(`${header}\n${line}\n`);
    expect(add("RWKV_API int32_t rwkv_x(double value);")).toThrow('unknown type "double"');
    expect(add("RWKV_API int32_t rwkv_x(void (*callback)(int));")).toThrow("Cannot");
    expect(add("RWKV_API int32_t rwkv_x;")).toThrow("declarations");
  });
});
