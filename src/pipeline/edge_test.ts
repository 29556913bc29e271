import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { Edge } from "./edge.ts";

describe("Edge", () => {
  it("runs a job at once between ticks", async () => {
    let ran = false;
    const done = new Edge().run(() => ran = true);
    expect(ran).toBe(true);
    expect(await done).toBe(true);
  });

  it("runs jobs at the end of the tick, in order, before anything else can begin", async () => {
    const edge = new Edge();
    const order: string[] = [];
    edge.enter();
    const jobs = ["a", "b", "c"].map((name) => edge.run(() => order.push(name)));
    expect(order).toEqual([]);
    edge.leave();
    order.push("next tick");
    expect(order).toEqual(["a", "b", "c", "next tick"]);
    expect(await Promise.all(jobs)).toEqual([1, 2, 3]);
  });

  it("refuses a tick within a tick", () => {
    const edge = new Edge();
    edge.enter();
    expect(() => edge.enter()).toThrow("under way");
    edge.leave();
    edge.enter();
  });

  it("a job that fails fails alone", async () => {
    const edge = new Edge();
    edge.enter();
    const bad = edge.run(() => {
      throw new Error("full");
    });
    const good = edge.run(() => "copied");
    edge.leave();
    await expect(bad).rejects.toThrow("full");
    expect(await good).toBe("copied");
  });

  it("never runs a job whose asker gave up", async () => {
    const edge = new Edge();
    const left = new AbortController();
    let ran = false;
    edge.enter();
    const job = edge.run(() => ran = true, left.signal);
    left.abort(new Error("gone"));
    await expect(job).rejects.toThrow("gone");
    edge.leave();
    await expect(edge.run(() => ran = true, left.signal)).rejects.toThrow("gone");
    expect(ran).toBe(false);
  });

  it("a job that asks for another one gets it at the same edge", async () => {
    const edge = new Edge();
    edge.enter();
    const job = edge.run(() => edge.run(() => "inner"));
    edge.leave();
    expect(await job).toBe("inner");
  });
});
