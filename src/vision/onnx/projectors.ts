// From features to vectors: every projector of the released models. Must not know encoders.
import type { Value } from "./graph.ts";
import type { LinearOptions, TowerGraph } from "./tower_graph.ts";
import type { Projector } from "./tower_plan.ts";

export interface Vectors {
  value: Value;
  /** D. */
  width: number;
}

/** [N, K, width] → [N, K, D]. Throws RangeError for tensors that are missing or do not fit. */
export function project(tower: TowerGraph, projector: Projector, x: Value, width: number): Vectors {
  const { kind, prefix, norm_epsilon = 1e-5 } = projector;
  const { graph } = tower;
  const linear = (name: string, from: Value, width_in: number, more: Pick<LinearOptions, "width_out"> = {}) =>
    tower.linear(`${prefix}${name}`, from, width_in, [`${prefix}${name}`], {
      bias: "none",
      quantised: false,
      ...more,
    });
  /** from * sigmoid(G from) */
  const gated = (from: Value, from_width: number) => {
    const gate = linear("gate", from, from_width, { width_out: from_width });
    const share = graph.node("Sigmoid", `${prefix}gate.share`, [gate.value]);
    return graph.node("Mul", `${prefix}gated`, [from, share]);
  };
  switch (kind) {
    case "linear": {
      // Its tensors are called "weight" and "bias" right behind the prefix.
      const source = prefix.replace(/\.$/, "");
      return tower.linear("projected", x, width, [source], { bias: "optional", quantised: false });
    }
    case "gate_after": {
      const inner = linear("proj", x, width);
      return linear("o_proj", gated(inner.value, inner.width), inner.width);
    }
    case "relu": {
      const inner = linear("proj", x, width);
      return linear("o_proj", graph.node("Relu", `${prefix}active`, [inner.value]), inner.width);
    }
    case "gate_before": {
      const out = linear("o_proj", gated(x, width), width);
      return {
        value: tower.norm(`${prefix}ln_v`, out.value, out.width, norm_epsilon),
        width: out.width,
      };
    }
  }
}
