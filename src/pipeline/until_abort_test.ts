import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { untilAbort } from "./until_abort.ts";

describe("untilAbort", () => {
  it("gives what the job gives, with a signal and without", async () => {
    const { signal } = new AbortController();
    expect(await untilAbort(Promise.resolve(7), signal)).toBe(7);
    expect(await untilAbort(Promise.resolve(7), undefined)).toBe(7);
    await expect(untilAbort(Promise.reject(new Error("broken")), signal)).rejects.toThrow("broken");
  });

  it("does not wait for a job after the abort, nor for its failure", async () => {
    const left = new AbortController();
    const job = Promise.withResolvers<number>();
    const waiting = untilAbort(job.promise, left.signal);
    left.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    await expect(untilAbort(job.promise, left.signal)).rejects.toThrow("enough");
    job.reject(new Error("too late")); // An unhandled rejection would fail this test.
    await new Promise((resolve) => setTimeout(resolve));
  });
});
