// Runs `gander model ...` in this process, for the tests of this folder. Must not know what it prints.
import { library_path } from "../../src/compose.ts";
import { modelCommand } from "../../src/cli/model.ts";

/** Without a bundle of its own: one has to be named. */
export async function gander(args: string[], stop?: AbortSignal, onErr: (text: string) => void = () => {}) {
  const written = { out: "", err: "" };
  const status = await modelCommand(args, {
    out: (text) => written.out += text,
    err: (text) => {
      written.err += text;
      onErr(text);
    },
    library_path,
    default_bundle: () => Promise.reject(new Error("no bundle was named")),
    ...(stop ? { stop } : {}),
  });
  return { status, ...written };
}
