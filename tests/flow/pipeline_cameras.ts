// A house with two cameras at hand, "cam" and "other", none of them added yet.
import type { StreamRequest } from "../../src/pipeline/surface.ts";
import { ManualClock } from "./manual_clock.ts";
import { type House, type HouseOptions, makeHouse } from "./pipeline_fixture.ts";
import { ScriptedSource } from "./pipeline_sources.ts";

export function camera(clock: ManualClock): () => ScriptedSource {
  return () => new ScriptedSource({ clock, replayable: false });
}

export async function open(options: HouseOptions = {}): Promise<House> {
  const { clock = new ManualClock() } = options;
  const house = makeHouse({ clock, pulls: { cam: camera(clock), other: camera(clock) }, ...options });
  await house.service.open();
  return house;
}

export const cam: StreamRequest = { id: "cam", name: "Cam", source: { kind: "pull", url: "cam" } };
