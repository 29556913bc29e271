/// <reference lib="deno.worker" />
// The thread that owns the ONNX session: `run` blocks its thread for the whole inference, so it must not be the
// main one. Does one request at a time, in order. Must not know streams, queues or bundles.
import * as ort from "onnxruntime-node";
import type { AnswerTo, Envelope, OpenRequest, Provider, Refusal, Reply, RunRequest } from "./messages.ts";

// Refusals are reported by us; the runtime would print them on its own as well.
ort.env.logLevel = "fatal";

let session: ort.InferenceSession | undefined;

async function open({ model_path, providers, threads }: OpenRequest): Promise<AnswerTo<OpenRequest>> {
  const refusals: Refusal[] = [];
  for (const provider of providers) {
    try {
      if (provider === "webgpu") await requireGraphics();
      session = await ort.InferenceSession.create(model_path, sessionOptions(provider, threads));
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

function sessionOptions(provider: Provider, threads: number): ort.InferenceSession.SessionOptions {
  return {
    executionProviders: [provider],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    logSeverityLevel: 4,
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

async function run({ frames, height_px, width_px }: RunRequest): Promise<AnswerTo<RunRequest>> {
  if (session === undefined) throw new Error("no model is open");
  const input = new ort.Tensor("uint8", join(frames), [frames.length, height_px, width_px, 3]);
  const began_ms = performance.now();
  const outputs = await session.run({ [session.inputNames[0]]: input });
  const run_ms = performance.now() - began_ms;
  const output = outputs[session.outputNames[0]];
  if (!(output.data instanceof Float32Array)) throw new Error(`the output is ${output.type}, not float32`);
  const vectors = ownBuffer(output.data);
  return {
    vectors,
    shape: [...output.dims],
    finite: new Float32Array(vectors).every(Number.isFinite),
    run_ms,
  };
}

/** One frame goes in as it came; several are put one behind the other. */
function join(frames: readonly ArrayBuffer[]): Uint8Array {
  if (frames.length === 1) return new Uint8Array(frames[0]);
  const all = new Uint8Array(frames.reduce((sum, frame) => sum + frame.byteLength, 0));
  let end = 0;
  for (const frame of frames) {
    all.set(new Uint8Array(frame), end);
    end += frame.byteLength;
  }
  return all;
}

/** The runtime may own the memory of its outputs, which cannot be transferred. */
function ownBuffer(data: Float32Array): ArrayBuffer {
  return new Float32Array(data).buffer;
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
