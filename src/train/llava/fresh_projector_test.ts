import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { findProjector } from "../../model/import/projectors.ts";
import { freshProjector, projectorKind } from "./fresh_projector.ts";

describe("freshProjector()", () => {
  for (const kind of ["linear", "gate_before", "gate_after", "relu"] as const) {
    it(`makes a ${kind} that the importer knows`, () => {
      const inputs = kind === "relu" ? 2 * 48 : 48;
      const made = freshProjector(kind, inputs, 64, 1);
      const table = new Map(
        [...made].map(([name, { dims }]) => [name.slice("proj.".length), { shape: dims }]),
      );
      expect(findProjector(table, 48)).toEqual({
        ...{ kind, inputs, outputs: 64, problems: [], unused: [], unknown: [] },
      });
      for (const [name, { dims, data }] of made) {
        if (dims.length === 1) {
          expect(new Set(data)).toEqual(new Set([name.endsWith(".weight") ? 1 : 0]));
          continue;
        }
        // U(±1/√in): within, near the ends, and centred.
        const bound = 1 / Math.sqrt(dims[1]!);
        const most = data.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
        expect(most).toBeLessThanOrEqual(bound);
        expect(most).toBeGreaterThan(0.99 * bound);
        expect(Math.abs(data.reduce((sum, value) => sum + value, 0) / data.length)).toBeLessThan(
          0.05 * bound,
        );
      }
      expect(freshProjector(kind, inputs, 64, 1)).toEqual(made);
      expect(freshProjector(kind, inputs, 64, 2)).not.toEqual(made);
    });
  }

  it("knows upstream's word for v7's", () => expect(projectorKind("mlp")).toBe("gate_before"));
});
