import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import type { ServerMessage } from "../src/wire/mod.ts";
import { type Phase, WatchConnection } from "./connection.ts";
import { HandSocket, sampleCaption, sampleHello, sampleStream } from "./dev/samples.ts";

const hello = (part = {}) => sampleHello([sampleStream({ last_seq: 99, ...part })]);
const final = (seq: number): ServerMessage => ({ type: "caption.final", caption: sampleCaption(seq) });

function open() {
  const sockets: HandSocket[] = [];
  const messages: ServerMessage[] = [];
  const phases: Phase[] = [];
  const connection = new WatchConnection({
    open() {
      sockets.push(new HandSocket());
      return sockets.at(-1) as unknown as WebSocket;
    },
    onMessage: (message) => messages.push(message),
    onPicture() {},
    onPhase: (phase) => phases.push(phase),
    random: () => 0,
  });
  connection.connect();
  const seqs = () =>
    messages.flatMap((message) => message.type === "caption.final" ? [message.caption.seq] : []);
  return { connection, sockets, messages, phases, seqs, last: () => sockets.at(-1)! };
}

describe("WatchConnection", () => {
  it("subscribes after hello, without a number the first time", () => {
    const { connection, last } = open();
    connection.want(new Map([["cam", true]]));
    expect(last().asked).toEqual([]);
    last().say(hello());
    expect(last().asked).toEqual([{ type: "sub", stream: "cam", pictures: true }]);
    connection.leave();
  });
  it("resumes behind the last caption it saw, and passes none twice", () => {
    const { connection, sockets, last, seqs } = open();
    connection.want(new Map([["cam", false]]));
    last().say(hello());
    [7, 8].forEach((seq) => last().say(final(seq)));
    last().lose();
    connection.connect();
    last().say(hello());
    expect(sockets.length).toBe(2);
    expect(last().asked).toEqual([{ type: "sub", stream: "cam", pictures: false, after_seq: 8 }]);
    [8, 9].forEach((seq) => last().say(final(seq)));
    expect(seqs()).toEqual([7, 8, 9]);
    connection.leave();
  });
  it("starts over with a stream that began anew", () => {
    const { connection, last } = open();
    connection.want(new Map([["cam", false]]));
    last().say(hello());
    last().say(final(7));
    last().lose();
    connection.connect();
    last().say(hello({ created_ms: 5, last_seq: 50 }));
    expect(last().asked[0]).not.toHaveProperty("after_seq");
    connection.leave();
  });
  it("asks for pictures again only when that changes", () => {
    const { connection, last } = open();
    last().say(hello());
    connection.want(new Map([["cam", false]]));
    connection.want(new Map([["cam", false]]));
    connection.want(new Map([["cam", true]]));
    connection.want(new Map());
    expect(last().asked.map(({ type, pictures }) => [type, pictures])).toEqual([
      ["sub", false],
      ["sub", true],
      ["unsub", undefined],
    ]);
    connection.leave();
  });
  it("waits with its reason, and gives up where trying again cannot help", () => {
    const { connection, last, phases } = open();
    last().lose(1006);
    expect(phases.at(-1)).toMatchObject({ kind: "waiting" });
    connection.connect();
    last().lose(4401);
    expect(phases.at(-1)).toMatchObject({ kind: "closed", why: "unauthorized" });
    connection.connect();
    last().say({ type: "hello", v: 2 });
    expect(phases.at(-1)).toMatchObject({ kind: "closed", why: "version" });
    connection.leave();
  });
  it("leaves a server that says goaway and says why", async () => {
    const { connection, last, phases, messages } = open();
    last().say(hello());
    const first = last();
    last().say({ type: "goaway", deadline_ms: 100, reason: "restarting" });
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(messages.at(-1)?.type).toBe("goaway");
    expect(first.readyState).toBe(3);
    expect(phases.at(-1)).toMatchObject({ kind: "waiting", reason: "restarting" });
    connection.leave();
  });
  it("skips what it does not understand", () => {
    const { connection, last, messages } = open();
    last().say({ type: "from.the.future" });
    last().onmessage?.({ data: "not json" });
    last().onmessage?.({ data: new ArrayBuffer(3) });
    expect(messages).toEqual([]);
    connection.leave();
  });
});
