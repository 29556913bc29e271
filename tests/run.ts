// The whole test run, in the order in which a failure is cheapest to learn of. Prints every runner's own output and,
// as its last line, `N passed, N failed, N skipped` summed over all of them. Arguments are paths to run instead.
import { fileURLToPath } from "node:url";

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

const root = fileURLToPath(new URL("../", import.meta.url));

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

interface Part {
  name: string;
  command: string;
  args: string[];
  /** Counts out of the runner's output; undefined when it never came to its summary. */
  count(output: string, ok: boolean): Counts | undefined;
  environment?: Record<string, string>;
}

/** `ok | 7 passed (2 steps) | 0 failed | 1 ignored (190ms)` */
function countDeno(output: string): Counts | undefined {
  const line = [...output.matchAll(/^(?:ok|FAILED) \| (\d+) passed.*$/gm)].at(-1);
  if (!line) return undefined;
  const number = (word: string) => Number(new RegExp(`(\\d+) ${word}`).exec(line[0])?.[1] ?? 0);
  return { passed: number("passed"), failed: number("failed"), skipped: number("ignored") };
}

/** `native asan: 9 passed, 0 failed` or `trainer release: …`; `skipped: …` where the machine lacks the tools. */
function countNative(output: string): Counts | undefined {
  if (/^skipped: /m.test(output)) return { passed: 0, failed: 0, skipped: 1 };
  const found = /^(?:native|trainer) \w+: (\d+) passed, (\d+) failed$/m.exec(output);
  return found ? { passed: Number(found[1]), failed: Number(found[2]), skipped: 0 } : undefined;
}

/** What a script answers that could not run here, beside its "skipped: …". */
const skipped_code = 77;

const one = (_output: string, ok: boolean): Counts => ({
  passed: ok ? 1 : 0,
  failed: ok ? 0 : 1,
  skipped: 0,
});

const deno = Deno.execPath();
function denoTest(name: string, ...args: string[]): Part {
  return {
    name,
    command: deno,
    args: ["test", "-A", "--cached-only", "--no-check", ...args],
    count: countDeno,
  };
}

const parts: Part[] = [
  { name: "format", command: deno, args: ["fmt", "--check"], count: one },
  { name: "lint", command: deno, args: ["lint"], count: one },
  { name: "types", command: deno, args: ["task", "--quiet", "check"], count: one },
  {
    name: "generated symbols",
    command: deno,
    args: ["run", "--allow-read", "ffi/gen_symbols.ts", "--check"],
    count: one,
  },
  denoTest("units and flows", "--parallel", "src", "ffi", "streams", "web", "tests/tidy", "tests/flow"),
  { name: "native", command: "sh", args: ["native/build.sh", "release", "--test"], count: countNative },
  { name: "native on NEON, emulated", command: "sh", args: ["native/check_neon.sh"], count: countNative },
  {
    name: "native under AddressSanitizer and UBSan",
    command: "sh",
    args: ["native/build.sh", "asan", "--test"],
    count: countNative,
  },
  {
    name: "device cuda, emulated",
    command: "sh",
    args: ["native/build.sh", "emulated", "--test"],
    count: countNative,
  },
  denoTest("native, model, contract", "tests/native", "tests/model", "tests/contract", "tests/bench"),
  {
    name: "trainer",
    command: "sh",
    args: ["native/train/build.sh", "release", "--test"],
    count: countNative,
  },
  denoTest("training, evaluation", "tests/train", "tests/eval"),
  denoTest("sources", "tests/sources"),
  {
    ...denoTest("whole service", "--v8-flags=--expose-gc", "tests/service"),
    // As the launcher sets it: memory that many threads freed goes back instead of staying in their arenas.
    environment: { MALLOC_ARENA_MAX: "2" },
  },
  denoTest("browser", "tests/browser"),
];

/** Runs one part, shows what it prints, and keeps it for counting. */
async function run(part: Part): Promise<Counts> {
  say(`\n== ${part.name}`);
  const started_ms = performance.now();
  const child = new Deno.Command(part.command, {
    args: part.args,
    cwd: root,
    env: { NO_COLOR: "1", GANDER_LOG_LEVEL: "", ...part.environment },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let output = "";
  const show = async (stream: ReadableStream<Uint8Array>) => {
    for await (
      const text of stream.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
    ) {
      output += text;
      Deno.stdout.writeSync(new TextEncoder().encode(text));
    }
  };
  const [status] = await Promise.all([child.status, show(child.stdout), show(child.stderr)]);
  const counts = part.count(output, status.success) ?? { passed: 0, failed: 1, skipped: 0 };
  // A runner that fails without a failed test (a crash, a leak, no tests found) is a failure all the same.
  if (!status.success && status.code !== skipped_code && counts.failed === 0) counts.failed = 1;
  const seconds = ((performance.now() - started_ms) / 1000).toFixed(1);
  say(
    `== ${part.name}: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped, ${seconds} s`,
  );
  return counts;
}

const total: Counts = { passed: 0, failed: 0, skipped: 0 };
for (const part of Deno.args.length > 0 ? [denoTest("chosen", ...Deno.args)] : parts) {
  const counts = await run(part);
  total.passed += counts.passed;
  total.failed += counts.failed;
  total.skipped += counts.skipped;
}
say(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
Deno.exit(total.failed > 0 ? 1 : 0);
