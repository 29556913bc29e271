// The vision worker of a running service dies: ticks go on with a fresh one, nobody has to do anything.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { until } from "./gander_process.ts";
import { openWhole } from "./whole_service.ts";

/** Every vision worker that is started inside `body`, oldest first. */
async function withVisionWorkers(body: (workers: readonly Worker[]) => Promise<void>): Promise<void> {
  const workers: Worker[] = [];
  const RealWorker = globalThis.Worker;
  globalThis.Worker = class extends RealWorker {
    constructor(url: string | URL, options?: WorkerOptions) {
      super(url, options);
      if (options?.name === "vision") workers.push(this);
    }
  };
  try {
    await body(workers);
  } finally {
    globalThis.Worker = RealWorker;
  }
}

describe("a lost vision worker", () => {
  it("is replaced, and every stream ticks on", () =>
    withVisionWorkers(async (workers) => {
      await using whole = await openWhole();
      const { service } = whole.gander;
      const ids = ["first", "second"];
      for (const id of ids) {
        await service.add({
          id,
          name: id,
          source: { kind: "pull", url: "testsrc:?size=320x240&rate=10" },
          gates: { change: false, novelty: true }, // every tick asks the vision
        });
      }
      const ticks = () => ids.map((id) => service.get(id).stats.ticks);
      const tickOn = async (count: number) => {
        const before = ticks();
        await until(() => ticks().every((tick, index) => tick >= before[index] + count), "ticks go on");
      };
      await tickOn(2);
      for (const lives of [1, 2]) {
        expect(workers.length).toBe(lives);
        workers.at(-1)!.postMessage(null); // no message of ours: nothing in the worker catches what it throws
        await until(() => workers.length === lives + 1, "a fresh worker");
        await tickOn(3);
      }
      for (const id of ids) expect(service.get(id).status).toBe("live");
    }));
});
