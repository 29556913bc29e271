import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { Backoff } from "./retry.ts";

describe("Backoff", () => {
  it("doubles its ceiling to a maximum, draws below it, and forgets", () => {
    const highest = new Backoff({ first_ms: 1_000, max_ms: 60_000 }, () => 1);
    expect(Array.from({ length: 8 }, () => highest.next_ms())).toEqual([
      1e3,
      2e3,
      4e3,
      8e3,
      16e3,
      32e3,
      60e3,
      60e3,
    ]);
    for (let n = 0; n < 2_000; n++) highest.next_ms();
    expect(highest.next_ms()).toBe(60_000);
    highest.reset();
    expect(highest.next_ms()).toBe(1_000);
    expect(new Backoff({ first_ms: 1_000, max_ms: 60_000 }, () => 0).next_ms()).toBe(0);
  });
});
