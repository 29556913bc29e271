// The project's own text files as git would see them: nothing installed, built or generated at run time.
import { join } from "node:path";

const skipped = new Set([".git", ".tools", ".gander", "node_modules", "dist", "cov", "screens"]);

/** Paths are relative to `root`, with forward slashes. */
export function* sourceFiles(
  root: string,
  pattern: RegExp,
  folder = "",
): Generator<{ path: string; text: string }> {
  for (const entry of Deno.readDirSync(join(root, folder))) {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory) {
      if (!skipped.has(entry.name) && !/^native\/(train\/)?build/.test(path)) {
        yield* sourceFiles(root, pattern, path);
      }
    } else if (entry.isFile && pattern.test(entry.name)) {
      yield { path, text: Deno.readTextFileSync(join(root, path)) };
    }
  }
}
