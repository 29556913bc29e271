import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import fc from "fast-check";
import { CreditGate } from "./credit.ts";

describe("CreditGate", () => {
  it("drops and counts without credit", () => {
    const gate = new CreditGate();
    expect(gate.reserve()).toBe(undefined);
    gate.grant(1);
    expect(gate.redeem(gate.reserve()!)).toBe(true);
    expect(gate.reserve()).toBe(undefined);
    expect([gate.sent_count, gate.dropped_count]).toEqual([1, 2]);
  });
  it("voids tickets of a lost socket", () => {
    const gate = new CreditGate();
    gate.grant(2);
    const ticket = gate.reserve()!;
    gate.begin();
    expect(gate.redeem(ticket)).toBe(false);
    expect(gate.credits).toBe(0);
  });
  it("takes back the credit of a picture that was not made", () => {
    const gate = new CreditGate();
    gate.grant(1);
    gate.release(gate.reserve()!);
    expect(gate.credits).toBe(1);
  });
  it("law: sent never exceeds granted, and sent + dropped = offered", () => {
    const step = fc.oneof(
      fc.integer({ min: 0, max: 4 }),
      fc.constant("offer" as const),
      fc.constant("lose" as const),
    );
    fc.assert(fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const gate = new CreditGate();
      let granted = 0;
      let offered = 0;
      for (const one of steps) {
        if (one === "lose") gate.begin();
        else if (one === "offer") {
          offered++;
          const ticket = gate.reserve();
          if (ticket !== undefined) gate.redeem(ticket);
        } else {
          gate.grant(one);
          granted += one;
        }
      }
      expect(gate.sent_count).toBeLessThanOrEqual(granted);
      expect(gate.sent_count + gate.dropped_count).toBe(offered);
    }));
  });
});
