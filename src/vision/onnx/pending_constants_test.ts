import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import proto from "onnx-proto";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { DataFile } from "./data_file.ts";
import { GraphBuilder } from "./graph.ts";
import { PendingConstants } from "./pending_constants.ts";

async function withFile(body: (path: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "gander-constants-" });
  try {
    await body(join(dir, "model.onnx.data"));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const ramp = (count: number) => Float32Array.from({ length: count }, (_, index) => index);

describe("PendingConstants", () => {
  it("puts large constants on pages of the data file, small ones into the graph", () =>
    withFile(async (path) => {
      const graph = new GraphBuilder();
      const pending = new PendingConstants(graph);
      const calls: string[] = [];
      const add = (name: string, count: number) =>
        pending.add([{ name, type: "float32", shape: [count] }], () => {
          calls.push(name);
          return Promise.resolve([ramp(count)]);
        });
      add("small", 255);
      add("first", 300);
      pending.add(
        [{ name: "bytes", type: "int8", shape: [5, 1000] }, {
          name: "halves",
          type: "float16",
          shape: [600],
        }],
        () => Promise.resolve([new Int8Array(5000).fill(-3), new Float16Array(600).fill(2)]),
      );
      expect(calls).toEqual([]);
      expect(pending.total_bytes).toBe(4 * 555 + 5000 + 1200);
      const progress: number[] = [];
      await using data = await DataFile.create(path);
      await pending.write(data, "model.onnx.data", (done) => progress.push(done));
      const sha256 = await data.finish();
      expect(calls).toEqual(["small", "first"]);
      expect(progress).toEqual([1020, 2220, 8420]);

      const file = await Deno.readFile(path);
      expect(sha256).toBe(createHash("sha256").update(file).digest("hex"));
      expect(file.byteLength).toBe(data.bytes);
      const { graph: read } = proto.onnx.ModelProto.decode(graph.finish("test"));
      const [small, ...large] = read!.initializer!;
      expect(small.rawData!.byteLength).toBe(1020);
      const places = large.map(({ name, externalData, rawData }) => {
        expect(rawData?.byteLength ?? 0).toBe(0);
        return [name, ...externalData!.map(({ key, value }) => `${key} ${value}`)];
      });
      expect(places).toEqual([
        ["first", "location model.onnx.data", "offset 0", "length 1200"],
        ["bytes", "location model.onnx.data", "offset 4096", "length 5000"],
        ["halves", "location model.onnx.data", "offset 12288", "length 1200"],
      ]);
      expect(new Float32Array(file.buffer, 0, 300)).toEqual(ramp(300));
      expect(new Int8Array(file.buffer, 4096, 5000).every((value) => value === -3)).toBe(true);
    }));

  it("refuses elements that are not as many as promised, and a graph with an open slot", async () => {
    const graph = new GraphBuilder();
    const pending = new PendingConstants(graph);
    pending.add([{ name: "x", type: "float32", shape: [2, 3] }], () => Promise.resolve([ramp(5)]));
    expect(() => graph.finish("test")).toThrow('"x" was never given its bytes');
    await expect(pending.write(undefined, "", () => {})).rejects.toThrow('"x" has 20 of 24 bytes');
  });
});
