import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { parsePush, wire_limits } from "../../src/wire/mod.ts";
import { HandSocket } from "../dev/samples.ts";
import { type LinkState, PublishLink } from "./publish_link.ts";

const header = { key_frame: true, width_px: 4, height_px: 2, t_media_us: 5n };

function open() {
  const sockets: HandSocket[] = [];
  const states: LinkState[] = [];
  let ready_count = 0;
  const link = new PublishLink({
    open() {
      sockets.push(new HandSocket());
      return sockets.at(-1) as unknown as WebSocket;
    },
    format: "jpeg",
    onState: (state) => states.push(state),
    onReady: () => ready_count++,
    random: () => 0,
  });
  link.connect();
  const accept = (credit: number) => {
    sockets.at(-1)!.onopen?.();
    sockets.at(-1)!.say({ type: "accepted", v: 1, stream: "cam" });
    sockets.at(-1)!.say({ type: "credit", messages: credit });
  };
  return { link, sockets, states, accept, last: () => sockets.at(-1)!, readyCount: () => ready_count };
}

describe("PublishLink", () => {
  it("says its format, then sends as many messages as it has credit for", () => {
    const { link, accept, last } = open();
    accept(2);
    expect(last().asked).toEqual([{ type: "publish", format: "jpeg" }]);
    for (let i = 0; i < 5; i++) {
      const ticket = link.reserve();
      if (ticket !== undefined) link.send(ticket, header, new Uint8Array([i]));
    }
    const parsed = last().binary.map((message) => parsePush(message));
    expect(parsed.map((push) => typeof push === "string" ? push : [push.header.sequence, push.payload[0]]))
      .toEqual(
        [[0, 0], [1, 1]],
      );
    expect([link.gate.sent_count, link.gate.dropped_count]).toEqual([2, 3]);
    link.stop();
  });
  it("drops everything between sockets, then starts where a decoder can", () => {
    const { link, accept, last, readyCount, states } = open();
    accept(5);
    const ticket = link.reserve()!;
    last().lose();
    expect(states.at(-1)?.kind).toBe("waiting");
    expect(link.reserve()).toBe(undefined);
    link.connect();
    accept(5);
    expect(link.send(ticket, header, new Uint8Array(1))).toBe(false);
    expect(readyCount()).toBe(2);
    expect(last().binary).toEqual([]);
    link.stop();
  });
  it("drops when the network is slower than the camera", () => {
    const { link, accept, last } = open();
    accept(5);
    last().bufferedAmount = 5_000_000;
    expect(link.reserve()).toBe(undefined);
    link.stop();
  });
  it("drops what the server would close the connection for", () => {
    const { link, accept, last } = open();
    accept(1);
    const payload = new Uint8Array(wire_limits.push_payload_bytes_max + 1);
    expect(link.send(link.reserve()!, header, payload)).toBe(false);
    expect([last().binary.length, link.gate.credits, link.gate.dropped_count]).toEqual([0, 1, 1]);
    link.stop();
  });
  it("stops for good when refused, comes back when told to wait", () => {
    const { link, accept, last, states } = open();
    last().say({ type: "refused", error: { code: "stream_busy", message: "Busy.", retry: "backoff" } });
    expect(states.at(-1)).toMatchObject({ kind: "waiting", reason: "Busy." });
    link.connect();
    accept(1);
    last().lose(4404, "no such stream");
    expect(states.at(-1)).toEqual({ kind: "refused", reason: "no such stream" });
  });
  it("does not fight the publisher that took over", () => {
    const { accept, last, sockets, states } = open();
    accept(1);
    const replaced = last();
    replaced.say({ type: "refused", error: { code: "replaced", message: "Took over.", retry: "never" } });
    replaced.lose(4409, "Took over.");
    expect(states.at(-1)).toMatchObject({
      kind: "refused",
      reason: expect.stringContaining("Another camera"),
    });
    expect(sockets).toHaveLength(1);
  });
  it("says end when it stops", () => {
    const { link, accept, last } = open();
    accept(1);
    link.stop();
    expect(last().asked.at(-1)).toEqual({ type: "end" });
  });
});
