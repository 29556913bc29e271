// `gander bench engine` for real on the tiny shape: the file is written, loaded, measured and removed. Figures are checked
// for being there and for what must hold on any machine, never for being high.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { isSpread, type Measured } from "../../src/bench/engine_runs.ts";
import { benchCommand } from "../../src/cli/bench.ts";
import { UsageError } from "../../src/cli/arguments.ts";
import type { Compose } from "../../src/cli/commands.ts";
import { library_path } from "../native/built.ts";

const compose: Compose = () => Promise.reject(new Error("nothing of the service is needed"));

async function bench(...words: string[]): Promise<string> {
  let out = "";
  const stop = new AbortController();
  const io = { out: (text: string) => void (out += text), err: () => {}, stop: stop.signal };
  expect(await benchCommand(library_path)(["engine", ...words], io, compose)).toBe(0);
  return out;
}

/** Stands in for llama.cpp: programs that print what those print. */
async function fakeLlama(dir: string): Promise<void> {
  const programs = {
    "llama-bench": `for word; do case "$word" in 64,512) all=yes ;; esac; done
one='{"build_commit":"fake","n_prompt":0,"n_gen":64,"samples_ts":[10,11,12]}'
two='{"build_commit":"fake","n_prompt":512,"n_gen":0,"samples_ts":[20]}'
if [ "$all" = yes ]; then echo "[$one,$two]"; else echo "[$one]"; fi`,
    "llama-batched-bench": `echo '{"pl":2,"speed_tg":30}'`,
  };
  for (const [name, text] of Object.entries(programs)) {
    await Deno.writeTextFile(`${dir}/${name}`, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  }
}

describe("gander bench engine", () => {
  for (const format of ["f16", "bf16", "q8", "q4"]) {
    it(`measures random ${format} weights that it makes`, async () => {
      const work = await Deno.makeTempDir({ prefix: "gander-test-" });
      try {
        const words = ["--shape", "tiny", "--format", format, "--streams", "2,5", "--runs", "2"];
        const report = JSON.parse(await bench(...words, "--work", work, "--hogs", "1", "--json"));
        const measured = report.measured as Measured;
        expect([measured.width, measured.layers, measured.vocab]).toEqual([256, 2, 512]);
        const batch = measured.batch as Measured;
        for (const name of ["prefill_64", "prefill_512", "decode", "fork_ms", "export_ms", "import_ms"]) {
          const spread = measured[name];
          if (!isSpread(spread)) throw new Error(`no ${name}`);
          expect(spread.min).toBeGreaterThan(0);
          expect(spread.median).toBeLessThanOrEqual(spread.max);
        }
        expect(Object.keys(batch)).toEqual(["2", "5"]);
        expect(Number(measured.hogs_fraction)).toBeGreaterThan(0);
        // What a token reads is what the file has, without one embedding of 512 x 256 and the header.
        const bits: Record<string, number> = { f16: 16, bf16: 16, q8: 8.5, q4: 4.5 };
        const embedding_bytes = 512 * 256 * bits[format]! / 8;
        const tensors_bytes = Number(measured.token_bytes) - 2 * Number(measured.state_bytes) +
          embedding_bytes;
        expect(report.file_bytes).toBeGreaterThan(tensors_bytes);
        expect(report.file_bytes).toBeLessThan(tensors_bytes + 32768);
        expect([...Deno.readDirSync(work)].map(({ name }) => name)).toEqual([`random-tiny-${format}.gguf`]);
      } finally {
        await Deno.remove(work, { recursive: true });
      }
    });
  }

  it("takes turns with a llama.cpp, and tells both", async () => {
    const llama = await Deno.makeTempDir({ prefix: "gander-test-" });
    try {
      await fakeLlama(llama);
      const words = ["--shape", "tiny", "--format", "q8", "--streams", "2", "--runs", "1", "--pairs", "2"];
      const { llama: report } = JSON.parse(await bench(...words, "--llama", llama, "--hogs", "1", "--json"));
      expect(report.build).toBe("fake");
      expect(report.pairs).toHaveLength(2);
      expect(Object.keys(report.compared).sort()).toEqual([
        ...["batch_2", "decode", "decode_beside_hogs", "prefill_512"],
      ]);
      expect(report.compared.decode.theirs.median).toBe(11);
    } finally {
      await Deno.remove(llama, { recursive: true });
    }
  });

  it("says which program failed, and how", async () => {
    const llama = await Deno.makeTempDir({ prefix: "gander-test-" });
    try {
      await Deno.writeTextFile(`${llama}/llama-bench`, "#!/bin/sh\necho no such tensor >&2; exit 3\n", {
        mode: 0o755,
      });
      const words = ["--shape", "tiny", "--format", "q4", "--streams", "1", "--runs", "1", "--llama", llama];
      await expect(bench(...words)).rejects.toThrow("llama-bench ended with status 3: no such tensor");
    } finally {
      await Deno.remove(llama, { recursive: true });
    }
  });

  it("refuses what it does not know before it builds anything", async () => {
    await expect(bench("--shape", "7b", "--format", "q8")).rejects.toThrow(UsageError);
    await expect(bench("--shape", "tiny", "--format", "q5")).rejects.toThrow("--format is one of");
    await expect(bench("--shape", "tiny", "--format", "q8", "--streams", "0")).rejects.toThrow("--streams");
  });
});
