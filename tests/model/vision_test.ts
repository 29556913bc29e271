import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { VisionError } from "../../src/vision/errors.ts";
import { openVision } from "../../src/vision/vision.ts";
import type { Vision } from "../../src/pipeline/ports.ts";
import {
  frame,
  liveTower,
  small_tower,
  visionOptions,
  withFolder,
  withVision,
  writeTower,
} from "./towers.ts";

const shape = small_tower;

/** The error of a promise that must reject. */
async function failure(promise: Promise<unknown>): Promise<VisionError> {
  const error = await promise.then(() => undefined, (reason) => reason);
  expect(error).toBeInstanceOf(VisionError);
  return error;
}

/** A worker whose source is given; it answers like no vision worker. */
function fakeWorker(source: string): Worker {
  return new Worker(`data:application/javascript,${encodeURIComponent(source)}`, { type: "module" });
}

describe("openVision()", () => {
  it("satisfies the pipeline's port and keeps the caller's pixels", () =>
    withVision(shape, async (vision) => {
      const port: Vision = vision;
      const rgb = frame(shape, 3);
      const copy = rgb.slice();
      const pending = port.encode(rgb);
      rgb.fill(0); // the next frame may be written at once
      const first = await pending;
      expect(rgb.byteLength).toBe(copy.byteLength);
      expect(await port.encode(copy)).toEqual(first);
      expect(first.length).toBe(port.vectors_per_frame * shape.vector_width);
      expect(await port.encode(rgb)).not.toEqual(first);
    }));

  it("answers many callers, each with its own frame, batched or not", () =>
    withVision(shape, async (vision) => {
      const frames = Array.from({ length: 20 }, (_, index) => frame(shape, 100 + index));
      const alone: Float32Array[] = [];
      for (const rgb of frames) alone.push(await vision.encode(rgb));
      const together = await Promise.all(frames.map((rgb) => vision.encode(rgb)));
      for (const [index, vectors] of together.entries()) {
        const worst = Math.max(...vectors.map((value, i) => Math.abs(value - alone[index][i])));
        expect(worst).toBeLessThan(1e-4);
      }
      const { frames: count, runs, waiting, batching, batch_frames_largest } = vision.stats();
      expect([count, waiting]).toEqual([40, 0]);
      expect(batching.finding).toMatch(/4 frames take .* ms together, .* ms one by one: (not )?batched/);
      expect(batch_frames_largest).toBe(batching.pays ? 8 : 1);
      if (batching.pays) expect(runs).toBeLessThanOrEqual(20 + 4); // the first frame of a burst may go alone
      else expect(runs).toBe(40);
    }));

  it("goes on with the next provider and says why one was refused", () =>
    withFolder(async (dir) => {
      const lines: string[] = [];
      const vision = await openVision({
        ...visionOptions(await writeTower(dir, shape), shape),
        providers: ["cuda", "cpu"],
        log: (line) => lines.push(line),
      });
      await vision.close();
      if (vision.provider === "cuda") return; // this machine can; nothing was refused
      expect(vision.refusals.map((refusal) => refusal.provider)).toEqual(["cuda"]);
      expect(lines[0]).toMatch(/^vision: cuda refused: ./);
      expect(lines[1]).toMatch(/on cpu, 1 threads; .*batched$/);
    }));
});

describe("a model that is no tower", () => {
  const refused: [string, Uint8Array | undefined, string][] = [
    ["a file that is not there", undefined, "not found"],
    ["an empty file", new Uint8Array(0), "cpu: "],
    ["garbage", new Uint8Array(1000).fill(7), "cpu: "],
  ];
  for (const [name, bytes, reason] of refused) {
    it(`refuses ${name}`, () =>
      withFolder(async (dir) => {
        const path = join(dir, "vision.onnx");
        if (bytes !== undefined) await Deno.writeFile(path, bytes);
        const error = await failure(openVision(visionOptions(path, shape)));
        expect(error.code).toBe("vision_model");
        expect(error.message).toMatch(/^Cannot open vision tower ".*vision\.onnx": /);
        expect(error.message).toContain(reason);
      }));
  }

  it("refuses other sizes than promised", () =>
    withFolder(async (dir) => {
      const options = visionOptions(await writeTower(dir, shape), shape);
      const sizes = { width_px: 48, vectors_per_frame: 9 };
      const error = await failure(openVision({ ...options, ...sizes }));
      expect(error.message).toContain('"rgb" is uint8 [N, 24, 40, 3], wanted is uint8 [N, 24, 48, 3]');
      expect(error.message).toContain('"vectors" is float32 [N, 5, 32], wanted is float32 [N, 9, 32]');
    }));

  it("refuses to hand on NaN", () =>
    withFolder(async (dir) => {
      const weights = liveTower(shape, 1);
      const poisoned = (name: string) =>
        name === "proj.bias" ? new Float32Array(32).fill(NaN) : weights(name);
      const vision = await openVision(visionOptions(await writeTower(dir, shape, poisoned), shape));
      const error = await failure(vision.encode(frame(shape, 1)));
      await vision.close();
      expect(error.code).toBe("vision_output");
    }));
});

describe("bounds and ends", () => {
  it("refuses a frame of the wrong size", () =>
    withVision(shape, async (vision) => {
      const error = await failure(vision.encode(new Uint8Array(5)));
      expect([error.code, error.retry]).toEqual(["vision_input", "never"]);
      expect(error.message).toBe("Cannot encode frame: 5 bytes, wanted are 40 x 24 x 3 = 2880");
    }));

  it("refuses more frames than may wait", () =>
    withVision(shape, async (vision) => {
      const results = await Promise.allSettled(
        Array.from({ length: 9 }, () => vision.encode(frame(shape, 1))),
      );
      const refused = results.filter((result) => result.status === "rejected").map((result) => result.reason);
      expect(refused.map((error) => [error.code, error.retry])).toEqual(
        Array(refused.length).fill(["vision_busy", "backoff"]),
      );
      expect(refused.length).toBeGreaterThanOrEqual(2);
      expect(vision.stats().frames).toBe(9 - refused.length);
    }, { queue_max: 4 }));

  it("rejects what waits when it is closed, and everything after", () =>
    withVision(shape, async (vision) => {
      const waiting = Array.from({ length: 12 }, () => vision.encode(frame(shape, 1)));
      const settled = Promise.allSettled(waiting);
      await vision.close();
      const codes = (await settled).map((result) =>
        result.status === "rejected" ? result.reason.code : "done"
      );
      expect(codes.at(-1)).toBe("vision_closed");
      expect((await failure(vision.encode(frame(shape, 1)))).code).toBe("vision_closed");
      expect((await failure(vision.reopen())).code).toBe("vision_closed");
      await vision.close();
    }));
});

describe("a lost worker", () => {
  const open = (dir: string, workers: (() => Worker)[], more = {}) =>
    writeTower(dir, shape).then((path) =>
      openVision({ ...visionOptions(path, shape), spawn: () => workers.shift()!(), ...more })
    );
  const real = () => new Worker(new URL("../../src/vision/worker.ts", import.meta.url), { type: "module" });

  /** Answers the opening and the trial as a tower would, then does `last` with the first real frame. */
  const dying = (last: string) => () =>
    fakeWorker(`let runs = 0; self.onmessage = ({ data: { id, request } }) => {
      if (request.kind === "open") return self.postMessage({ id, answer: { provider: "cpu", refusals: [],
        inputs: [{ name: "rgb", type: "uint8", shape: [1, 24, 40, 3] }],
        outputs: [{ name: "vectors", type: "float32", shape: [1, 5, 32] }] } });
      if (runs++ < 2) return self.postMessage({ id, answer: { vectors: new Float32Array(160).buffer, shape: [1, 5, 32],
        finite: true, run_ms: 1 } });
      ${last}
    };`);

  const crash = `throw new Error("out of memory");`;
  const stillborn = () => fakeWorker(`throw new Error("no such module");`);

  /** Waits that end when the test says so. */
  function manualSleep() {
    const waits_ms: number[] = [];
    let wake = () => {};
    let slept = Promise.withResolvers<void>();
    return {
      waits_ms,
      /** Resolves when somebody sleeps. */
      asleep: () => slept.promise,
      wake: () => wake(),
      sleep: (wait_ms: number, signal: AbortSignal) =>
        new Promise<void>((resolve) => {
          waits_ms.push(wait_ms);
          wake = () => {
            slept = Promise.withResolvers<void>();
            resolve();
          };
          signal.addEventListener("abort", wake, { once: true });
          slept.resolve();
        }),
    };
  }

  it("comes back by itself, later each time, and says so meanwhile", () =>
    withFolder(async (dir) => {
      const { waits_ms, asleep, wake, sleep } = manualSleep();
      const lines: string[] = [];
      const workers = [dying(crash), stillborn, dying(crash), real];
      const vision = await open(dir, workers, { sleep, log: (line: string) => lines.push(line) });
      expect(vision.usable).toBe(true);
      for (const [reason, round] of [["out of memory", 1], ["no such module", 2], ["out of memory", 3]]) {
        if (reason === "out of memory") {
          const error = await failure(vision.encode(frame(shape, 1)));
          expect([error.code, error.retry]).toEqual(["vision_lost", "backoff"]);
        }
        await asleep();
        expect(vision.usable).toBe(false);
        const error = await failure(vision.encode(frame(shape, 1)));
        expect([error.code, error.retry]).toEqual(["vision_lost", "backoff"]);
        expect(error.message).toContain(reason);
        wake();
        if (round === 1) continue; // the next worker is stillborn: it sleeps again
        while (!vision.usable) await new Promise((resolve) => setTimeout(resolve, 5));
      }
      expect((await vision.encode(frame(shape, 1))).length).toBe(160);
      expect(waits_ms).toEqual([500, 1_000, 2_000]);
      expect(vision.stats().reopened).toBe(2);
      expect(lines[1]).toBe(
        "vision: Vision worker was lost: Uncaught Error: out of memory; opened anew in 0.5 s",
      );
      await vision.close();
    }));

  it("does not come back after close(), which waits for no timer", () =>
    withFolder(async (dir) => {
      const vision = await open(dir, [dying(crash)]);
      await failure(vision.encode(frame(shape, 1)));
      const begun_ms = performance.now();
      await vision.close(); // the leak check of the runner sees a timer that is left
      expect(performance.now() - begun_ms).toBeLessThan(400);
      expect((await failure(vision.encode(frame(shape, 1)))).code).toBe("vision_closed");
    }));

  it("rejects everything that waits and can be opened anew at once", () =>
    withFolder(async (dir) => {
      const vision = await open(dir, [dying(crash), real]);
      const results = await Promise.allSettled([1, 2, 3].map((seed) => vision.encode(frame(shape, seed))));
      for (const result of results) {
        expect(result.status).toBe("rejected");
        if (result.status === "rejected") {
          expect([result.reason.code, result.reason.retry]).toEqual(["vision_lost", "backoff"]);
        }
      }
      expect((await failure(vision.encode(frame(shape, 1)))).message).toContain("out of memory");
      await Promise.all([vision.reopen(), vision.reopen()]);
      expect((await vision.encode(frame(shape, 1))).length).toBe(160);
      expect(vision.stats().reopened).toBe(1);
      await vision.close();
    }));

  it("counts a hanging run as lost", () =>
    withFolder(async (dir) => {
      const vision = await open(dir, [dying("")], { run_ms_max: 50 });
      const error = await failure(vision.encode(frame(shape, 1)));
      expect(error.message).toBe('Vision worker was lost: no answer to "run" in 50 ms');
      await vision.close();
    }));

  it("is told apart from a run that failed", () =>
    withFolder(async (dir) => {
      const vision = await open(dir, [dying(`self.postMessage({ id, failure: "bad luck" });`)]);
      expect((await failure(vision.encode(frame(shape, 1)))).code).toBe("vision_output");
      expect((await failure(vision.encode(frame(shape, 2)))).code).toBe("vision_output");
      await vision.close();
    }));

  it("fails the opening when it dies at once", () =>
    withFolder(async (dir) => {
      const error = await failure(open(dir, [stillborn]));
      expect(error.message).toContain("no such module");
    }));
});
