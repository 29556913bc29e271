import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import fc from "fast-check";
import { hold } from "../../tests/flow/pipeline_law.ts";
import { limits } from "./limits.ts";
import { RefreshGate } from "./refresh_gate.ts";

const settings = { instruction: "", language: "en", cadence_s: 4, every_s: 30, change_min: 0.1 };
/** A picture of one grey. 26 of 255 are a tenth. */
const grey = (level: number) => new Uint8Array(limits.thumbnail_side_px ** 2).fill(level);

function gateOf(change: Partial<typeof settings> = {}, change_on = true) {
  return new RefreshGate({ ...settings, ...change }, change_on);
}

describe("RefreshGate", () => {
  it("takes the first picture, whatever it shows and whenever it comes", () => {
    expect(gateOf().admit(grey(0), 0)).toBe(true);
    const restored = gateOf();
    restored.restore(undefined, 5_000);
    expect(restored.admit(grey(0), 5_001)).toBe(true);
  });

  it("waits for the cadence, however much changes", () => {
    const gate = gateOf();
    gate.admit(grey(0), 0);
    expect(gate.admit(grey(255), 3_999)).toBe(false);
    expect(gate.admit(grey(255), 4_000)).toBe(true);
    expect(gate.admit(grey(0), 7_999)).toBe(false);
  });

  it("then waits for a change against the picture it took last, also one that comes slowly", () => {
    const gate = gateOf();
    gate.admit(grey(100), 0);
    expect(gate.admit(grey(125), 5_000)).toBe(false);
    expect(gate.admit(grey(75), 6_000)).toBe(false);
    expect(gate.admit(grey(126), 7_000)).toBe(true);
    expect(gate.admit(grey(100), 12_000)).toBe(true);
  });

  it("takes a picture that stands still after every_s, and again after another", () => {
    const gate = gateOf();
    const taken = [];
    for (let t_media_ms = 0; t_media_ms <= 70_000; t_media_ms += 500) {
      if (gate.admit(grey(9), t_media_ms)) taken.push(t_media_ms);
    }
    expect(taken).toEqual([0, 30_000, 60_000]);
  });

  it("without the change gate takes one picture per cadence", () => {
    const gate = gateOf({}, false);
    expect([0, 2_000, 4_000, 6_000, 8_000].map((t_media_ms) => gate.admit(grey(9), t_media_ms))).toEqual(
      [true, false, true, false, true],
    );
  });

  it("lets the cadence go before every_s", () => {
    const gate = gateOf({ cadence_s: 10, every_s: 2 });
    expect([0, 2_000, 9_999, 10_000].map((t_media_ms) => gate.admit(grey(9), t_media_ms))).toEqual(
      [true, false, false, true],
    );
  });

  it("goes on after a restart as if there had been none", async () => {
    const input = fc.tuple(fc.array(fc.nat(255), { minLength: 1, maxLength: 60 }), fc.nat(60));
    await hold(100, input, ([levels, cut]) => {
      const play = (restart_at: number) => {
        let gate = gateOf({ every_s: 10 });
        let last: [Uint8Array, number] | undefined;
        return levels.map((level, index) => {
          if (index === restart_at) {
            gate = gateOf({ every_s: 10 });
            if (last) gate.restore(...last);
          }
          const taken = gate.admit(grey(level), index * 500);
          if (taken) last = [grey(level), index * 500];
          return taken;
        });
      };
      expect(play(cut)).toEqual(play(-1));
    });
  });
});
