// Runs the references in tests/model/python once per test file and reads what they wrote. Must not know models.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Debian's, whose packages python3-torch and python3-numpy the references use. */
const python = "/usr/bin/python3";
const scripts = fileURLToPath(new URL("./python/", import.meta.url));

export const library_path = fileURLToPath(new URL("../../native/build/librwkv.so", import.meta.url));

/** Why the references cannot run, or undefined. */
export function missingPython(...modules: string[]): string | undefined {
  if (!existsSync(python)) return "python3 is not installed";
  const { success } = new Deno.Command(python, {
    args: ["-c", `import ${modules.join(", ")}`],
    stdout: "null",
    stderr: "null",
  }).outputSync();
  return success ? undefined : `python3 has no ${modules.join(", ")}`;
}

/** Why the native engine cannot run, or undefined. */
export function missingLibrary(): string | undefined {
  return existsSync(library_path) ? undefined : "the native library is not built";
}

/** What a script of tests/model/python prints, as JSON. Throws with its last words when it fails. */
export async function runPython<T>(script: string, ...args: string[]): Promise<T> {
  const { success, stdout, stderr } = await new Deno.Command(python, {
    args: [`${scripts}${script}`, ...args],
    env: { OMP_NUM_THREADS: "1", PYTHONDONTWRITEBYTECODE: "1" },
  }).output();
  if (!success) throw new Error(`${script} failed: ${new TextDecoder().decode(stderr).slice(-2_000)}`);
  return JSON.parse(new TextDecoder().decode(stdout)) as T;
}

/** A file of little-endian float32. */
export async function readFloats(path: string): Promise<Float32Array<ArrayBuffer>> {
  return new Float32Array((await Deno.readFile(path)).buffer);
}

export interface Distance {
  /** Largest |found - wanted|. */
  worst: number;
  /** Largest |wanted|: what a relative error is relative to. */
  largest: number;
}

/** Throws when the lengths differ or a number is not finite, so that no comparison passes by accident. */
export function distance(found: ArrayLike<number>, wanted: ArrayLike<number>): Distance {
  if (found.length !== wanted.length) throw new Error(`${found.length} numbers, not ${wanted.length}`);
  let worst = 0, largest = 0;
  for (let i = 0; i < wanted.length; i++) {
    const gap = Math.abs(found[i]! - wanted[i]!);
    if (!Number.isFinite(gap)) throw new Error(`number ${i} is ${found[i]}, wanted ${wanted[i]}`);
    worst = Math.max(worst, gap);
    largest = Math.max(largest, Math.abs(wanted[i]!));
  }
  return { worst, largest };
}

/**
 * How far a logit (up to 4) may be from float64. Products are in float32: measured 1e-5 at most. The matrix unit of AMX has
 * bf16 numbers only, so there a row of a bf16 product is the sum of two of them, 16 bits: measured 1.1e-4.
 */
export function logitErrorMax(name: string): number {
  return name.includes("bf16") ? 1e-3 : 1e-4;
}

/** Fails with the case and both numbers in its sentence. */
export function expectBelow(bar: number, name: string, value: number): void {
  if (!(value < bar)) throw new Error(`${name}: ${value.toExponential(2)} is not below ${bar}`);
}

/** A folder for the time of a test file. */
export function temporaryFolder(): Promise<string> {
  return Deno.makeTempDir({ prefix: "gander-parity-" });
}
