// `gander world`: the synthetic world's scenes as scripts, labels and video files. Owns its words and output.
import { readArguments, readDuration, UsageError } from "./arguments.ts";
import type { Command } from "./commands.ts";
import { type ArtFolders, prepareArt } from "./world_art.ts";
import { writeVideo } from "./world_video.ts";
import { held_out_style, training_styles } from "../world/art.ts";
import { inventScene, type SceneRequest, test_seed_first } from "../world/author.ts";
import { eventsOf } from "../world/events.ts";
import { type Level, levels } from "../world/levels.ts";
import { Renderer } from "../world/renderer.ts";
import { readScript, type Script } from "../world/script.ts";
import { openSprites } from "../world/sprite_store.ts";

export const world_help =
  `gander world art                                   fetch the art styles (development only)
gander world script [--seed N] [--level L1|L2|L3] [--for 60s] [--grammar train|test] [--style NAME] [--still]
                                                   print a scene script
gander world events SCRIPT                         print the events of a scene script, one JSON object a line
gander world video SCRIPT -o FILE.mp4 [--size 384] [--fps 15]
                                                   render it; FILE.events.jsonl is written beside it
`;

export function worldCommand(folders: ArtFolders): Command {
  return async (words, io) => {
    const [verb, ...rest] = words;
    switch (verb) {
      case "art":
        await prepareArt(folders, (line) => io.err(`${line}\n`));
        return 0;
      case "script":
        io.out(`${JSON.stringify(invent(rest))}\n`);
        return 0;
      case "events":
        io.out(eventLines(await load(rest[0])));
        return 0;
      case "video":
        return await video(rest);
      default:
        throw new UsageError(verb === undefined ? "world: what?" : `world: unknown command "${verb}"`);
    }

    async function video(args: readonly string[]): Promise<number> {
      const { positionals, own } = readArguments(args, { o: "string", size: "string", fps: "string" });
      const script = await load(positionals[0]);
      if (typeof own.o !== "string") {
        throw new UsageError("world video: -o FILE.mp4 or -o FILE.webm is missing");
      }
      const size_px = readCount(own.size ?? "384", "size", 16, 2048);
      const fps = readCount(own.fps ?? "15", "fps", 1, 60);
      await prepareArt(folders, (line) => io.err(`${line}\n`));
      const renderer = new Renderer(script, openSprites(folders.sprites_dir), {
        width_px: size_px,
        height_px: size_px,
      });
      await writeVideo(
        own.o,
        { width_px: size_px, height_px: size_px, fps },
        framesOf(script, renderer, fps),
        io.stop,
      );
      await Deno.writeTextFile(`${own.o}.events.jsonl`, eventLines(script));
      return 0;
    }
  };
}

function* framesOf(script: Script, renderer: Renderer, fps: number): Generator<Uint8Array> {
  for (let index = 0; index < script.duration_s * fps; index++) yield renderer.frame(index / fps);
}

function eventLines(script: Script): string {
  return eventsOf(script).map((event) => `${JSON.stringify(event)}\n`).join("");
}

function invent(args: readonly string[]): Script {
  const { own } = readArguments(args, {
    ...{
      seed: "string",
      level: "string",
      for: "string",
      grammar: "string",
      style: "string",
      still: "boolean",
    } as const,
  });
  const grammar = own.grammar ?? "train";
  if (grammar !== "train" && grammar !== "test") {
    throw new UsageError("world script: --grammar is train or test");
  }
  const level = String(own.level ?? "L2");
  if (!Object.hasOwn(levels, level)) throw new UsageError("world script: --level is L1, L2 or L3");
  const seed = readCount(own.seed ?? "1", "seed", 0, test_seed_first - 1);
  const known = [...training_styles, held_out_style];
  if (own.style !== undefined && !known.includes(String(own.style))) {
    throw new UsageError(`world script: --style is one of ${known.join(", ")}`);
  }
  const request: SceneRequest = {
    seed: grammar === "test" ? test_seed_first + seed : seed,
    level: level as Level,
    duration_s: readDuration(String(own.for ?? "60s"), "for") / 1000,
    styles: own.style === undefined ? training_styles : [String(own.style)],
    grammar,
    ...own.still === true ? { still: true } : {},
  };
  return inventScene(request);
}

async function load(path: string | undefined): Promise<Script> {
  if (path === undefined) throw new UsageError("world: which scene script?");
  let value: unknown;
  try {
    value = JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    throw new UsageError(`world: cannot read "${path}": ${(error as Error).message}`);
  }
  const read = readScript(value);
  if ("problems" in read) {
    throw new UsageError(`world: "${path}" is no scene script:\n  ${read.problems.join("\n  ")}`);
  }
  return read.script;
}

function readCount(text: string | boolean, name: string, min: number, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new UsageError(`world: --${name} is a whole number from ${min} to ${max}`);
}
