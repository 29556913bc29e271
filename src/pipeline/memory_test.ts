import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { GanderError } from "../errors.ts";
import { exportAs } from "./memory.ts";

const whole = Uint8Array.of(1, 2, 3, 4), half = Uint8Array.of(1, 2);

function stateThat(exportHalf: () => Uint8Array<ArrayBuffer>) {
  return { exportBlob: () => whole, exportHalf };
}

describe("exportAs", () => {
  it("writes the kind that is asked for", () => {
    expect(exportAs(stateThat(() => half), "fp32")).toBe(whole);
    expect(exportAs(stateThat(() => half), "fp16")).toBe(half);
  });

  it("writes a state whole whose numbers fp16 cannot hold", () => {
    const refuse = () => {
      throw new GanderError("misuse", "Cannot export the state: a number is beyond fp16");
    };
    expect(exportAs(stateThat(refuse), "fp16")).toBe(whole);
  });

  it("hides no other failure", () => {
    const busy = () => {
      throw new GanderError("busy", "Cannot export the state");
    };
    expect(() => exportAs(stateThat(busy), "fp16")).toThrow("Cannot export");
  });
});
