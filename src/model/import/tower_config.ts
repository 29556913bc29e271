// What the config.json beside a tower of Hugging Face says and no tensor does. Must not know tensors or files.
import type { Checkpoint } from "./checkpoint.ts";
import { import_limits } from "./limits.ts";
import type { Activation } from "./tower_port.ts";

export interface TowerConfig {
  heads?: number;
  activation?: Activation;
}

const activations: Record<string, Activation> = {
  quick_gelu: "quick",
  gelu: "erf",
  gelu_pytorch_tanh: "tanh",
};

/** Of the tower alone, or of the two-sided model that it is half of. Odd values are as good as none. */
export function readTowerConfig({ metadata }: Pick<Checkpoint, "metadata">): TowerConfig {
  const whole = fields(metadata.get("config.json"));
  const own = whole.vision_config === undefined ? whole : fields(whole.vision_config);
  const { num_attention_heads: heads, hidden_act } = own;
  return {
    ...(Number.isInteger(heads) && Number(heads) >= 1 && Number(heads) <= import_limits.tower_heads_max
      ? { heads: Number(heads) }
      : {}),
    ...(typeof hidden_act === "string" && Object.hasOwn(activations, hidden_act)
      ? { activation: activations[hidden_act]! }
      : {}),
  };
}

function fields(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? value as Record<string, unknown> : {};
}
