// The victim of store_crash_test: commits ticks and snapshots as fast as it can and says what is done, until it is
// killed. With "hold" it only opens the store. Line by line on stdout: `open`, `t <tick> <seq>`, `s <tick>`.
import { blobOf, captionOf, open, snapshotHead, tickRecord } from "./store_fixture.ts";

const [data_dir, mode] = Deno.args as [string, string];
const stream = "cam";
const blob_bytes = 60_000;

function tell(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

async function live(): Promise<void> {
  const writes: Promise<void>[] = [];
  for (let tick = store.lastTick(stream) + 1;; tick++) {
    const record = tickRecord(tick);
    const seq = store.lastSeq(stream) + 1;
    store.commitTick(stream, record, tick % 3 === 0 ? captionOf(stream, seq, record) : undefined);
    tell(`t ${tick} ${store.lastSeq(stream)}`);
    if (tick % 5 !== 0) continue;
    const head = snapshotHead(stream, tick, { seq: store.lastSeq(stream) });
    writes.push(
      store.writeSnapshot(head, blobOf(blob_bytes, tick)).then(() => {
        tell(`s ${tick}`);
        const [, fallback, ...old] = store.listSnapshots(stream);
        if (fallback) store.trimTicks(stream, fallback.tick);
        for (const { tick } of old) store.deleteSnapshot(stream, tick);
      }),
    );
    if (writes.length === 3) await writes.shift();
  }
}

const store = open({ data_dir, fsync: mode === "full" ? "full" : "normal" });
tell("open");
if (mode === "hold") await new Promise((resolve) => setTimeout(resolve, 60_000));
else await live();
