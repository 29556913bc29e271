/// <reference lib="deno.worker" />
// The thread that owns the ONNX session: `run` blocks its thread for the whole inference, so it must not be the
// main one. Does one request at a time, in order. Must not know streams, queues or bundles.
import * as ort from "onnxruntime-node";
import type { AnswerTo, Envelope, OpenRequest, Provider, Refusal, Reply, RunRequest } from "./messages.ts";
import { vision_limits } from "./limits.ts";
import { type PlannedTile, prepareInputs } from "./prepare.ts";
import { countViews, planTiles, type Sight } from "./views.ts";

// Refusals are reported by us; the runtime would print them on its own as well.
ort.env.logLevel = "fatal";

let session: ort.InferenceSession | undefined;

async function open({ model_path, providers, threads }: OpenRequest): Promise<AnswerTo<OpenRequest>> {
  const refusals: Refusal[] = [];
  const large = await weightBytes(model_path) > vision_limits.arena_model_bytes_max;
  for (const provider of providers) {
    try {
      if (provider === "webgpu") await requireGraphics();
      session = await ort.InferenceSession.create(model_path, sessionOptions(provider, threads, large));
      const { inputMetadata, outputMetadata } = session;
      return {
        provider,
        refusals,
        inputs: inputMetadata.map(describe),
        outputs: outputMetadata.map(describe),
      };
    } catch (error) {
      refusals.push({ provider, reason: oneLine(error) });
    }
  }
  throw new Error(refusals.map(({ provider, reason }) => `${provider}: ${reason}`).join("; "));
}

/** WebGPU without a device prints warnings of its own that nothing can silence, so it is not even tried. */
async function requireGraphics(): Promise<void> {
  if (Deno.build.os !== "linux") return;
  for (const device of ["/dev/dri", "/dev/nvidia0", "/dev/dxg"]) {
    const found = await Deno.stat(device).then(() => true, () => false);
    if (found) return;
  }
  // Without every permission Deno lets nobody look into /dev; whoever started us may have looked.
  if (!launcherSawGraphics()) throw new Error("no graphics device");
}

function launcherSawGraphics(): boolean {
  try {
    return Deno.env.get("HAS_GRAPHICS_DEVICE") === "1";
  } catch {
    return false; // no permission to ask
  }
}

/** Of the model and of the file beside it that holds large weights. */
async function weightBytes(model_path: string): Promise<number> {
  let bytes = 0;
  for (const path of [model_path, `${model_path}.data`]) {
    bytes += await Deno.stat(path).then(({ size }) => size, () => 0);
  }
  return bytes;
}

function sessionOptions(
  provider: Provider,
  threads: number,
  large: boolean,
): ort.InferenceSession.SessionOptions {
  return {
    executionProviders: [provider],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    logSeverityLevel: 4,
    // The arena keeps what the largest run needed, and more, for ever. The three towers of v7.00 in float32 hold 3.1 GB
    // of weights; between runs 4.0 GB with it and 3.3 GB without, at their peak 4.1 and 3.8 GB. Without it a run
    // costs 2 % more processor time, measured on CLIP-L. A small tower that runs for every frame keeps it.
    enableCpuMemArena: !large,
    // Without this the pool spins between operators: 97 instead of 41 ms of processor time for ViT-B/32 at the
    // same wall time on two cores, taken away from the decoder beside it.
    extra: { session: { "intra_op.allow_spinning": "0" } },
  };
}

function describe(port: ort.InferenceSession.ValueMetadata) {
  return port.isTensor
    ? { name: port.name, type: port.type as string, shape: [...port.shape] }
    : { name: port.name, type: "not a tensor", shape: [] };
}

async function run({ pictures, sight, batch_tiles }: RunRequest): Promise<AnswerTo<RunRequest>> {
  const planned = pictures.flatMap(({ rgb, before: rgb_before, ...size }): PlannedTile[] => {
    const picture = { rgb: new Uint8Array(rgb), ...size };
    const before = rgb_before && { rgb: new Uint8Array(rgb_before), ...size };
    return planTiles(size, sight).map((tile) => ({ picture, before, tile }));
  });
  const parts: Float32Array<ArrayBuffer>[] = [];
  let row_shape: readonly number[] = [];
  let run_ms = 0;
  for (let begin = 0; begin < planned.length; begin += batch_tiles) {
    const part = await runTiles(planned.slice(begin, begin + batch_tiles), sight);
    parts.push(part.vectors);
    row_shape = part.shape.slice(1);
    run_ms += part.run_ms;
  }
  const vectors = join(parts);
  const row_floats = row_shape.reduce((product, size) => product * size, 1);
  return {
    vectors: vectors.buffer,
    shape: [vectors.length / row_floats, ...row_shape],
    finite: vectors.every(Number.isFinite),
    run_ms,
  };
}

/** One run of the session. `vectors` is ours. */
async function runTiles(planned: readonly PlannedTile[], sight: Sight) {
  if (session === undefined) throw new Error("no model is open");
  const views = countViews(sight);
  const feeds: Record<string, ort.Tensor> = {};
  prepareInputs(planned, sight).forEach((pixels, index) => {
    const { name, width_px, height_px } = sight.inputs[index];
    feeds[name] = new ort.Tensor("uint8", pixels, [planned.length * views, height_px, width_px, 3]);
  });
  const began_ms = performance.now();
  const outputs = await session.run(feeds);
  const run_ms = performance.now() - began_ms;
  const output = outputs[session.outputNames[0]];
  if (!(output.data instanceof Float32Array)) throw new Error(`the output is ${output.type}, not float32`);
  // The runtime may own the memory of its outputs, which cannot be transferred.
  return { vectors: new Float32Array(output.data), shape: [...output.dims], run_ms };
}

function join(parts: readonly Float32Array<ArrayBuffer>[]): Float32Array<ArrayBuffer> {
  if (parts.length === 1) return parts[0];
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let end = 0;
  for (const part of parts) {
    all.set(part, end);
    end += part.length;
  }
  return all;
}

function oneLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\s+/g, " ").trim().slice(0, 300);
}

async function answer({ id, request }: Envelope): Promise<Reply> {
  try {
    if (request.kind === "open") return { id, answer: await open(request) };
    if (request.kind === "run") return { id, answer: await run(request) };
    await session?.release();
    session = undefined;
    return { id, answer: {} };
  } catch (error) {
    return { id, failure: oneLine(error) };
  }
}

let previous: Promise<void> = Promise.resolve();

self.onmessage = (event: MessageEvent<Envelope>) => {
  previous = previous.then(async () => {
    const reply = await answer(event.data);
    const vectors = "answer" in reply && "vectors" in reply.answer ? [reply.answer.vectors] : [];
    self.postMessage(reply, vectors);
  });
};
