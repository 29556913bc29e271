import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import fc from "fast-check";
import { hold } from "../../tests/flow/pipeline_law.ts";
import { nameStream } from "./stream_name.ts";

describe("nameStream", () => {
  it("keeps what can be kept", () => {
    const free = () => false;
    expect(nameStream("Front Door, 2nd floor!", free)).toBe("front-door-2nd-floor");
    expect(nameStream("  Straße  ", free)).toBe("stra-e");
    expect(nameStream("玄関", free)).toBe("stream");
  });

  it("counts on when a name is taken", () => {
    const taken = new Set(["door", "door-2"]);
    expect(nameStream("Door", (id) => taken.has(id))).toBe("door-3");
  });

  it("is a name that a folder and an address can bear", async () => {
    const unit = fc.constantFrom("a", "Z", "7", " ", "-", "_", "/", ".", "é", "犬", "\0", "🪿");
    await hold(300, fc.string({ unit, maxLength: 80 }), (name) => {
      expect(nameStream(name, () => false)).toMatch(/^[a-z0-9]([a-z0-9-]{0,46}[a-z0-9])?$/);
    });
  });
});
