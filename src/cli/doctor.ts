// gander doctor: tries each part for real and says in a sentence what works and why the rest does not.
import { openEngine } from "../../ffi/mod.ts";
import { openBundleVision, towerOf } from "../bundle_vision.ts";
import { library_path, loadConfig, resolveBundle, static_dir } from "../compose.ts";
import { silent_log } from "../log.ts";
import { readBundle } from "../model/bundle.ts";
import { createSources } from "../sources.ts";
import { readArguments } from "./arguments.ts";
import type { Commands } from "./commands.ts";

export const doctor_help = `gander doctor [--source ADDRESS] [--bundle DIR] [--json]

Tries every part of Gander on this machine. Exit status 1 when something that is needed does not work.
`;

interface Finding {
  part: string;
  /** "optional": the part is missing and everything else works. */
  verdict: "ok" | "optional" | "broken";
  says: string;
}

async function check(part: string, needed: boolean, trial: () => Promise<string> | string): Promise<Finding> {
  try {
    return { part, verdict: "ok", says: await trial() };
  } catch (error) {
    return { part, verdict: needed ? "broken" : "optional", says: (error as Error).message };
  }
}

async function firstLine(program: string, ...args: string[]): Promise<string> {
  const { stdout } = await new Deno.Command(program, { args, stderr: "null" }).output();
  return new TextDecoder().decode(stdout).split("\n")[0]!;
}

async function tryDevice(device: "echo" | "cpu" | "cuda", weights_path?: string): Promise<string> {
  const engine = await openEngine({ library_path, device, weights_path, states_max: 1, threads: 1 });
  try {
    using state = engine.open();
    state.putTokens([1, 2, 3]);
    while (state.pending > 0) await engine.run();
    const { width, layers, vocab, state_bytes } = engine.info;
    return `steps; width ${width}, ${layers} layers, ${vocab} tokens, a state is ${state_bytes} bytes`;
  } finally {
    await engine.close();
  }
}

async function tryVision(bundle_dir: string): Promise<string> {
  const bundle = await readBundle(bundle_dir);
  const settings = { library_path, engine_threads: 1, threads: 1, log: () => {} };
  const vision = await openBundleVision(bundle, settings);
  if (vision === undefined) return "the bundle is text only";
  try {
    await vision.encode(new Uint8Array(vision.width_px * vision.height_px * 3));
    const { provider, refusals } = towerOf(vision);
    const refused = refusals.map(({ provider, reason }) => `; ${provider} refused: ${reason}`);
    return `runs on ${provider}${refused.join("")}`;
  } finally {
    await vision.close();
  }
}

function tryFolder(path: string): string {
  Deno.mkdirSync(path, { recursive: true });
  const file = Deno.makeTempFileSync({ dir: path, prefix: "doctor-" });
  Deno.removeSync(file);
  return `${path} can be written`;
}

export const doctor: Commands["doctor"] = async (words, io) => {
  const args = readArguments(words, { source: "string", json: "boolean" });
  const config = loadConfig(args.config_file, args.config);
  const bundle_dir = await resolveBundle(config);
  const findings = [
    await check("deno", true, () => `${Deno.version.deno}, V8 ${Deno.version.v8}`),
    await check("ffmpeg", true, () => firstLine("ffmpeg", "-version")),
    await check("native library", true, () => tryDevice("echo")),
    await check("model", true, async () => (await readBundle(bundle_dir)).manifest.name),
    await check(
      "rwkv on cpu",
      true,
      async () => tryDevice("cpu", (await readBundle(bundle_dir)).weights_path),
    ),
    await check(
      "rwkv on cuda",
      false,
      async () => tryDevice("cuda", (await readBundle(bundle_dir)).weights_path),
    ),
    await check("vision", true, () => tryVision(bundle_dir)),
    await check("data folder", true, () => tryFolder(config.data_dir)),
    await check("dashboard", true, () => Deno.statSync(`${static_dir}/index.html`) && "is built"),
  ];
  if (typeof args.own.source === "string") {
    const url = args.own.source;
    const policy = { allow_files: true, allow_loopback: true, allow_private: true };
    const sources = createSources({ policy, log: silent_log });
    findings.push(
      await check("source", true, async () => {
        const probe = await sources.probe({ kind: "pull", url });
        if (!probe.ok) throw new Error(probe.reason);
        return `${probe.width_px ?? "?"}x${probe.height_px ?? "?"} ${probe.codec ?? ""}`.trim();
      }),
    );
  }
  if (args.own.json) io.out(`${JSON.stringify(findings)}\n`);
  else {for (const { part, verdict, says } of findings) {
      io.out(`${verdict.padEnd(8)}  ${part.padEnd(14)}  ${says}\n`);
    }}
  return findings.some((finding) => finding.verdict === "broken") ? 1 : 0;
};
