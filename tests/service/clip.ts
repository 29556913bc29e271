// One real clip for all service tests of a run: made once, kept in the folder for temporary files.
import { join } from "node:path";
import { makeSampleClip } from "../../streams/mod.ts";

const path = join(Deno.env.get("TMPDIR") ?? "/tmp", "gander-test-clip-1.mp4");

/** About half a minute of moving shapes, still scenes and cuts. */
export async function sampleClip(): Promise<string> {
  try {
    if (Deno.statSync(path).size > 0) return path;
  } catch {
    // Not made yet.
  }
  const fresh = `${path}.${Deno.pid}.mp4`;
  await makeSampleClip(fresh);
  Deno.renameSync(fresh, path);
  return path;
}
