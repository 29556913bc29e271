// What a tower of true size costs in each weight format, and how far int8 and fp16 are from fp32, on random weights:
//   deno run -A tests/bench/towers.ts v060-1b6 fp32 fp16 int8
// Each format is written and run in a process of its own, so that the memory is its own. The first argument is a key of
// src/bench/released.ts; the language model is left out.
import * as ort from "onnxruntime-node";
import { join } from "node:path";
import { checkpointTensors, released } from "../../src/bench/released.ts";
import { elementsOf, type TensorSpec } from "../../src/bench/tensor_list.ts";
import { randomStream } from "../../src/random.ts";
import type { Encoder, TowerPlan, TowerTensors, WeightFormat } from "../../src/vision/onnx/tower_plan.ts";
import { writeTower } from "../../src/vision/onnx/write_tower.ts";

function planOf(version: string): TowerPlan {
  const whole = { views: "whole", class_vector: "none", pooling: { kind: "all" } } as const;
  const three: [Encoder, ...Encoder[]] = [
    { kind: "dino_timm", prefix: "vit.dino_featurizer." },
    { kind: "siglip_timm", prefix: "vit.siglip_featurizer." },
    { kind: "sam", prefix: "vit.sam_featurizer." },
  ];
  const projector = (kind: "linear" | "gate_after" | "gate_before" | "relu") =>
    ({ kind, prefix: "proj." }) as const;
  switch (version) {
    case "v5.0":
    case "v6.0":
      return {
        ...whole,
        encoders: [{ kind: "clip", prefix: "vit.vision_model." }],
        class_vector: version === "v5.0" ? "first" : "last",
        projector: projector("linear"),
      };
    case "v6.12":
      return { ...whole, encoders: three, projector: projector("gate_after") };
    case "v6.13":
      return { ...whole, encoders: three, views: "whole_and_quarters", projector: projector("relu") };
    case "v7.00":
      return { ...whole, encoders: three, projector: projector("gate_before") };
    default:
      return {
        ...whole,
        encoders: [{ kind: "siglip_hf", prefix: "vit.vision_model." }],
        projector: projector("gate_before"),
      };
  }
}

function randomTensors(specs: readonly TensorSpec[]): TowerTensors {
  const byName = new Map(specs.map((spec) => [spec.name, spec]));
  return (name) => {
    const spec = byName.get(name);
    if (spec === undefined) return undefined;
    return {
      shape: spec.shape,
      read: () => {
        const next = randomStream(1, name);
        const data = new Float32Array(elementsOf(spec.shape));
        for (let index = 0; index < data.length; index++) data[index] = spec.offset + spec.spread * next();
        return Promise.resolve(data);
      },
    };
  };
}

/** Smooth shapes and some noise: nearer to a photograph than noise alone. */
function testPixels(side_px: number, count: number): Uint8Array {
  const next = randomStream(2, "pixels");
  return Uint8Array.from({ length: count * side_px * side_px * 3 }, (_, index) => {
    const c = index % 3,
      x = Math.floor(index / 3) % side_px / side_px,
      y = Math.floor(index / 3 / side_px) / side_px;
    return 128 + 60 * Math.sin(9 * x + c) + 50 * Math.cos(14 * y * (1 + c)) + 15 * next();
  });
}

/** Most memory this process has had. */
function peakMb(): number {
  const line = /VmHWM:\s*(\d+) kB/.exec(Deno.readTextFileSync("/proc/self/status"));
  return Math.round(Number(line?.[1] ?? 0) / 1000);
}

async function measure(key: string, weights: WeightFormat, dir: string): Promise<void> {
  const model = released.find((model) => model.key === key);
  if (model === undefined) {
    throw new RangeError(`"${key}" is none of ${released.map(({ key }) => key).join(", ")}`);
  }
  const tensors = randomTensors(checkpointTensors(model));
  const path = join(dir, `${weights}.onnx`);
  let begun_ms = performance.now();
  const lap_s = () => {
    const passed_s = (performance.now() - begun_ms) / 1000;
    begun_ms = performance.now();
    return Number(passed_s.toFixed(2));
  };
  const written = await writeTower(planOf(model.version), tensors, path, { weights });
  const write = {
    s: lap_s(),
    peak_mb: peakMb(),
    file_mb: written.files.map(({ bytes }) => Math.round(bytes / 1e6)),
  };
  const session = await ort.InferenceSession.create(path, {
    intraOpNumThreads: 2,
    logSeverityLevel: 4,
    extra: { session: { "intra_op.allow_spinning": "0" } },
  });
  const load = { s: lap_s(), peak_mb: peakMb() };
  const feeds = Object.fromEntries(written.inputs.map(({ name, width_px, height_px, views }) => [
    name,
    new ort.Tensor("uint8", testPixels(width_px, views), [views, height_px, width_px, 3]),
  ]));
  lap_s();
  const runs_s: number[] = [];
  let vectors = new Float32Array();
  for (let run = 0; run < 3; run++) {
    const output = (await session.run(feeds)).vectors;
    vectors = new Float32Array(output.data as Float32Array);
    runs_s.push(lap_s());
  }
  await Deno.writeFile(`${path}.vectors`, new Uint8Array(vectors.buffer));
  const { vectors: count, vector_width } = written;
  report({ key, weights, shape: `${count} x ${vector_width}`, write, load, runs_s, peak_mb: peakMb() });
}

/** Over all vectors together, and of the worst vector. */
function compare(dir: string, weights: string, width: number): void {
  const read = (name: string) =>
    new Float32Array(Deno.readFileSync(join(dir, `${name}.onnx.vectors`)).buffer);
  const exact = read("fp32"), other = read(weights);
  const cosine = (from: number, to: number) => {
    let dot = 0, a = 0, b = 0;
    for (let index = from; index < to; index++) {
      dot += exact[index] * other[index];
      a += exact[index] ** 2;
      b += other[index] ** 2;
    }
    return dot / Math.sqrt(a * b);
  };
  let worst = 1;
  for (let row = 0; row < exact.length; row += width) worst = Math.min(worst, cosine(row, row + width));
  report({ weights, cosine: cosine(0, exact.length), worst_vector: worst });
}

function report(fields: unknown): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(fields)}\n`));
}

const [key, ...formats] = Deno.args;
if (key === "--one") await measure(formats[0], formats[1] as WeightFormat, formats[2]);
else {
  const dir = await Deno.makeTempDir({ prefix: "gander-towers-" });
  try {
    const width = released.find((model) => model.key === key)?.language.width ?? 1;
    for (const weights of formats) {
      const { success } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-check", import.meta.url, "--one", key, weights, dir],
        stdout: "inherit",
        stderr: "inherit",
      }).output();
      if (success && weights !== "fp32" && formats.includes("fp32")) compare(dir, weights, width);
      await Deno.remove(join(dir, `${weights}.onnx.data`)).catch(() => {});
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}
