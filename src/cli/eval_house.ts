// The shipped service, playing the scenes of an evaluation: video files through ffmpeg, vision and state, questions
// through its time travel. Owns the service, its store and the files while it lasts. Must not know scores.
import { join } from "node:path";
import { GanderError } from "../errors.ts";
import type { Caption } from "../pipeline/ports.ts";
import type { StreamStats } from "../pipeline/surface.ts";
import { countNames } from "../world/questions.ts";
import { Renderer, type SpriteOf } from "../world/renderer.ts";
import type { Script } from "../world/script.ts";
import type { Exam, ExamQuestion, Given, HeardLine, Sitting } from "../eval/exam.ts";
import type { MemorySample } from "../eval/report.ts";
import type { Compose, Gander } from "./commands.ts";
import type { EvalOptions } from "./eval_options.ts";
import type { Io } from "./io.ts";
import { writeVideo } from "./world_video.ts";

export interface Played {
  captions: Caption[];
  stats: StreamStats;
  /** Media time that the memory can go back to, ascending. */
  moments_s: number[];
  wall_ms: number;
  live: Given[];
  memory: MemorySample[];
}

export interface PlayRequest {
  name: string;
  video: string;
  /** Asks about now all the time. */
  live?: { script: Script };
  /** Without it, only the snapshots that the service takes itself: for long scenes. */
  snapshots?: boolean;
  /** Takes samples of the memory as the scene goes on, about this many. */
  samples?: { count: number; duration_s: number };
}

const live_question = "what can you see?";
/** Between two looks at a stream that plays. */
const look_ms = 20;

export class EvalHouse {
  readonly gander: Gander;
  readonly #options: EvalOptions;
  readonly #io: Io;
  readonly #work_dir: string;
  readonly #spriteOf: SpriteOf;

  private constructor(gander: Gander, options: EvalOptions, io: Io, work_dir: string, spriteOf: SpriteOf) {
    this.gander = gander;
    this.#options = options;
    this.#io = io;
    this.#work_dir = work_dir;
    this.#spriteOf = spriteOf;
  }

  static async open(options: EvalOptions, io: Io, compose: Compose, spriteOf: SpriteOf): Promise<EvalHouse> {
    const work_dir = Deno.makeTempDirSync({ prefix: "gander-eval-" });
    try {
      const flags = {
        ...{ sources_files: "yes", log_level: "warn", fsync: "normal" },
        ...options.config,
        data_dir: join(work_dir, "data"),
      };
      const gander = await compose({ file: options.config_file, flags }, io);
      await gander.open();
      return new EvalHouse(gander, options, io, work_dir, spriteOf);
    } catch (error) {
      Deno.removeSync(work_dir, { recursive: true });
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.gander.close();
    Deno.removeSync(this.#work_dir, { recursive: true });
  }

  /** The scene as a video file, in the folder that is kept or in one that is not. */
  async render(name: string, script: Script, causal = false): Promise<string> {
    const { size_px, fps, keep } = this.#options;
    const path = join(keep ?? this.#work_dir, `${name}.mp4`);
    const shape = { width_px: size_px, height_px: size_px };
    const renderer = new Renderer(script, this.#spriteOf, shape);
    await writeVideo(path, { ...shape, fps, causal }, framesOf(script, renderer, fps), this.#io.stop);
    if (keep !== undefined) {
      await Deno.writeTextFile(join(keep, `${name}.json`), `${JSON.stringify(script)}\n`);
    }
    return path;
  }

  /** Plays a file to its end; the stream stays and can be asked until `forget`. */
  async play({ name, video, live, snapshots = true, samples }: PlayRequest): Promise<Played> {
    const { service } = this.gander;
    const begun_ms = performance.now();
    const over = new AbortController();
    let refused: string | undefined;
    const silence = service.listen((event) => {
      if (event.type !== "stream.status" || event.stream !== name) return;
      if (event.status === "denied") refused = event.reason;
      // A scene that does not simply play is worth a word: a run that waits must say what for.
      if (event.status === "stalled" || event.status === "reconnecting") {
        this.#io.err(`eval: ${name}: ${event.status}: ${event.reason}\n`);
      }
      if (event.status === "ended" || event.status === "denied") over.abort();
    });
    const url = Deno.realPathSync(video);
    const { gates } = this.#options;
    await service.add({ id: name, name, source: { kind: "pull", url }, pace: "lossless", gates });
    const stop = AbortSignal.any([this.#io.stop, over.signal]);
    const given: Given[] = [], memory: MemorySample[] = [];
    await Promise.all([
      ended(stop),
      snapshots ? this.#keepSnapshots(name, stop) : undefined,
      live && this.#askLive(name, live.script, stop, given),
      samples && this.#sample(name, samples, stop, memory),
    ]);
    silence();
    const wall_ms = performance.now() - begun_ms;
    if (this.#io.stop.aborted) {
      throw new GanderError("eval_stopped", "Cannot finish the evaluation: it was stopped");
    }
    if (refused !== undefined) {
      throw new GanderError("eval_failed", `Cannot play scene "${name}": ${refused}`);
    }
    const moments_s = service.snapshots(name).filter(({ tick }) => tick > 0)
      .map(({ t_media_ms }) => t_media_ms / 1000).sort((a, b) => a - b);
    const captions = service.captions(name, { limit: 1_000_000 });
    return { captions, stats: service.get(name).stats, moments_s, wall_ms, live: given, memory };
  }

  /** In live use one is taken a second. A file plays faster than they may follow each other by themselves. */
  async #keepSnapshots(name: string, stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      await this.gander.service.takeSnapshot(name);
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }

  async #askLive(name: string, script: Script, stop: AbortSignal, given: Given[]): Promise<void> {
    for (let number = 0; !stop.aborted; number++) {
      const answered = await this.gander.service.ask(name, { question: live_question, at: { kind: "now" } });
      const at_s = answered.t_media_ms / 1000;
      const question: ExamQuestion = {
        ...{ id: `${name}/live/${number}`, set: "moment", kind: "here", t_s: at_s, text: live_question },
        ...{ facts: { kind: "things", counts: countNames(script, at_s) }, answer: "" },
      };
      if (answered.tick > 0) given.push({ question, text: answered.answer, at_s });
    }
  }

  async #sample(
    name: string,
    { count, duration_s }: { count: number; duration_s: number },
    stop: AbortSignal,
    into: MemorySample[],
  ): Promise<void> {
    while (!stop.aborted) {
      const { stats } = this.gander.service.get(name);
      const t_s = stats.memory_age_ms / 1000;
      if (t_s >= into.length * duration_s / count) {
        const { state_bytes, step_p95_ms } = stats;
        into.push({ t_s, rss_bytes: Deno.memoryUsage().rss, state_bytes, step_p95_ms });
      }
      await new Promise((resolve) => setTimeout(resolve, look_ms));
    }
  }

  /** One by one: answers must not wait for each other when their time is taken. */
  async ask(name: string, questions: readonly ExamQuestion[]): Promise<Given[]> {
    const given: Given[] = [];
    for (const question of questions) {
      if (this.#io.stop.aborted) break;
      const begun_ms = performance.now();
      const answered = await this.gander.service.ask(name, {
        question: question.text,
        at: { kind: "media", t_media_ms: Math.round(question.t_s * 1000) },
      });
      const took_ms = performance.now() - begun_ms;
      given.push({ question, text: answered.answer, at_s: answered.t_media_ms / 1000, took_ms });
    }
    return given;
  }

  async forget(name: string): Promise<void> {
    await this.gander.service.remove(name);
  }
}

export function sittingOf(exam: Exam, { captions, stats }: Played, answers: readonly Given[]): Sitting {
  const lines = captions.map(({ t_media_ms, text, tick, p_speak, caption_age_ms }): HeardLine => ({
    ...{ t_s: t_media_ms / 1000, text, tick, p_speak, age_ms: caption_age_ms },
  }));
  return { exam, lines, ticks: stats.frames_offered, answers };
}

function* framesOf(script: Script, renderer: Renderer, fps: number): Generator<Uint8Array> {
  for (let index = 0; index < script.duration_s * fps; index++) yield renderer.frame(index / fps);
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
