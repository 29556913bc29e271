// Names and shapes, and sentences about those that do not fit. Must not know RWKV or files.
import { quote } from "./import_error.ts";
import { import_limits } from "./limits.ts";

/** What detection looks at: checkpoint tensors satisfy it, and so does a table in a test. */
export interface Shaped {
  readonly shape: readonly number[];
}

export type TensorTable = ReadonlyMap<string, Shaped>;

/** `"a", "b" and 5 more`. */
export function listNames(names: readonly string[]): string {
  const shown = names.slice(0, import_limits.listed_names_max).map((name) => quote(name));
  const more = names.length - shown.length;
  return shown.join(", ") + (more > 0 ? ` and ${more} more` : "");
}

/** Vectors appear as [D], [1, 1, D], and [H, 64] as [D]: sizes of 1 do not matter, and a flat [D] has the order of [H, 64]. */
export function fits(found: readonly number[], wanted: readonly number[]): boolean {
  const squeezed = found.filter((size) => size !== 1);
  const squeezed_wanted = wanted.filter((size) => size !== 1);
  if (sameSizes(squeezed, squeezed_wanted)) return true;
  return wanted.length === 2 && wanted[1] === 64 && sameSizes(squeezed, [wanted[0]! * 64]);
}

function sameSizes(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, index) => size === b[index]);
}

export interface Comparison {
  /** Wanted and there, whatever the shape. */
  found: string[];
  missing: string[];
  /** A sentence part each: `"x" is [2, 3] instead of [3, 2]`. */
  misshapen: string[];
}

export function compare(table: TensorTable, wanted: ReadonlyMap<string, readonly number[]>): Comparison {
  const result: Comparison = { found: [], missing: [], misshapen: [] };
  for (const [name, shape] of wanted) {
    const tensor = table.get(name);
    if (tensor === undefined) {
      result.missing.push(name);
      continue;
    }
    result.found.push(name);
    if (!fits(tensor.shape, shape)) {
      result.misshapen.push(
        `${quote(name)} is [${tensor.shape.join(", ")}] instead of [${shape.join(", ")}]`,
      );
    }
  }
  return result;
}

/** Problems of a part of a model, as half sentences. Nothing when all is there. */
export function problemsOf(what: string, { missing, misshapen }: Comparison): string[] {
  const problems: string[] = [];
  if (missing.length > 0) problems.push(`${what}: missing ${listNames(missing)}`);
  if (misshapen.length > 0) {
    const shown = misshapen.slice(0, import_limits.listed_names_max).join(", ");
    const more = misshapen.length - import_limits.listed_names_max;
    problems.push(`${what}: ${shown}${more > 0 ? ` and ${more} more` : ""}`);
  }
  return problems;
}
