// A stream's source is changed by somebody who was shown its address without the secrets.
import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { ManualClock } from "./manual_clock.ts";
import { makeHouse, shutDown } from "./pipeline_fixture.ts";
import { ScriptedSource } from "./pipeline_sources.ts";

describe("changing a source", () => {
  it("keeps the stored address and its secrets, shows neither, and survives a restart", async () => {
    const clock = new ManualClock();
    const camera = () => new ScriptedSource({ clock, replayable: false });
    const house = makeHouse({ clock, pulls: { "me:secret@cam": camera, "me:other@cam": camera } });
    const { service, store } = house;
    await service.open();
    const url = "me:secret@cam";
    await service.add({ id: "cam", name: "Cam", source: { kind: "pull", url, transport: "udp" } });
    const shown = service.get("cam").source;
    expect(shown).toEqual({ kind: "pull", url: "***@cam", transport: "udp" });
    const view = await service.change("cam", { source: { ...shown, loop: true } as typeof shown });
    expect(view.source).toEqual({ ...shown, loop: true });
    const stored = () => store.loadStreams()[0]!.spec;
    expect(stored()).toMatchObject({ source: { kind: "pull", url, transport: "udp", loop: true } });
    await service.change("cam", { source: { kind: "pull", url: "me:other@cam" } });
    expect(stored()).toMatchObject({ source: { url: "me:other@cam", transport: "udp", loop: true } });
    // What the policy refuses is refused as before, and nothing changes.
    const elsewhere = { kind: "pull", url: "***@elsewhere" } as const;
    await expect(service.change("cam", { source: elsewhere })).rejects.toMatchObject({ code: "denied" });
    expect(stored()).toMatchObject({ source: { url: "me:other@cam" } });
    await shutDown(house);
  });
});
