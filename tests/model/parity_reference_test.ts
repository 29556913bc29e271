// The references of tests/model/python themselves, against numbers and definitions that are not theirs.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { expectBelow, missingPython, runPython } from "./python_cases.ts";

// The known values are printed with eight or ten digits.
const error_max = 1e-8;

describe("references", () => {
  it.unless(missingPython("torch", "numpy"), "agree with known values and definitions", async () => {
    const errors = await runPython<Record<string, number>>("check_references.py");
    expect(Object.keys(errors)).toEqual(["rwkv7", "rwkv6", "toy", "rwkv5", "attention", "window"]);
    for (const [name, error] of Object.entries(errors)) {
      expectBelow(error_max, name, error);
    }
  });
});
