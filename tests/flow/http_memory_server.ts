// The server of the memory tests, in a process of its own: what other tests or the clients allocate does not count.
// Reads commands from stdin, one per line; answers with JSON lines. Run by http_slow_test.ts.
import { openHouse } from "./http_house.ts";

const house = await openHouse({ sockets: { stall_ms: 700, close_ms: 1_000 } });
const { surface } = house;
surface.put("cam1");
surface.put("push1", "push");
surface.put("long");

const encoder = new TextEncoder();
async function answer(fields: Record<string, unknown>): Promise<void> {
  await Deno.stdout.write(encoder.encode(`${JSON.stringify(fields)}\n`));
}
const resident = () => Deno.memoryUsage().rss;
const pause = (duration_ms: number) => new Promise((resolve) => setTimeout(resolve, duration_ms));

/** 2048 pictures of 256 KiB: 512 MiB offered to every viewer, with deltas and captions between. */
async function flood(): Promise<void> {
  const picture = new Uint8Array(256 << 10);
  const text = "w".repeat(2_000);
  const before_bytes = resident();
  let most_bytes = before_bytes;
  for (let n = 0; n < 2_048; n++) {
    surface.show("cam1", picture);
    surface.delta("cam1", text);
    if (n % 8 === 0) surface.say("cam1", text);
    if (n % 16 === 0) await pause(10);
    most_bytes = Math.max(most_bytes, resident());
  }
  await answer({ spoken: surface.get("cam1").last_seq, growth_bytes: most_bytes - before_bytes });
}

async function obey(command: string): Promise<void> {
  if (command === "flood") return await flood();
  if (command === "fill") {
    // One text for all: the log is small here, and 200 MB on the wire.
    const text = "word ".repeat(400);
    for (let n = 0; n < 100_000; n++) surface.say("long", text);
  }
  const closes = house.log.flatMap(({ fields }) => fields.code ?? []);
  await answer({
    resident_bytes: resident(),
    closes,
    refused: house.log.filter(({ level }) => level === "warn").length,
  });
}

await answer({ port: house.server.port });
let rest = "";
for await (const chunk of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  const lines = (rest + chunk).split("\n");
  rest = lines.pop()!;
  for (const line of lines) await obey(line);
}
await house.server.close("test over", 200);
