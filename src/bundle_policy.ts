// The caption policy of a bundle, with what the configuration changes of it. Wires; decides nothing.
import type { Config } from "./config.ts";
import { ConfigError } from "./errors.ts";
import type { Manifest } from "./model/manifest.ts";
import type { Policy } from "./pipeline/policy.ts";
import type { PictureLanguage } from "./pipeline/ports.ts";

/** Options that mean something under policy "refresh" only. */
const refresh_options = ["prompt", "language", "cadence", "refresh"] as const;

type PolicyConfig = Pick<Config, typeof refresh_options[number]>;

/** Throws ConfigError when an option is given that this bundle has no use for. */
export function openPolicy(
  { policy, refresh, languages, name }: Pick<Manifest, "policy" | "refresh" | "languages" | "name">,
  config: PolicyConfig,
  pictures: PictureLanguage,
): Policy {
  if (policy === "stream") {
    const idle = refresh_options.filter((option) => config[option] !== undefined);
    if (idle.length === 0) return { kind: "stream" };
    const why = `the policy of bundle "${name}" is "stream": its captions are not asked for`;
    throw new ConfigError(idle.map((option) => `${option}: ${why}`));
  }
  const own_language = languages[0] ?? "en";
  const { instruction, cadence_s, every_s, change_min, frames } = refresh;
  return {
    kind: "refresh",
    pictures,
    settings: {
      instruction: config.prompt ?? instruction,
      language: config.language ?? own_language,
      cadence_s: config.cadence ?? cadence_s,
      every_s: config.refresh ?? every_s,
      change_min,
    },
    own_language,
    frames,
  };
}
