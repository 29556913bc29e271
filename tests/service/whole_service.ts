// The whole service in this process: real store, engine, vision and sources, as the composition root wires them, on
// the small built-in model. For tests that must look inside.
import type { Gander } from "../../src/cli/commands.ts";
import { compose } from "../../src/compose.ts";
import type { Caption } from "../../src/pipeline/ports.ts";
import type { StreamRequest } from "../../src/pipeline/surface.ts";

export interface Opened extends AsyncDisposable {
  gander: Gander;
  data_dir: string;
}

/** `flags` are options of the configuration. The data folder is deleted at the end unless it was given. */
export async function openWhole(flags: Record<string, unknown> = {}): Promise<Opened> {
  const data_dir = (flags.data_dir as string | undefined) ?? Deno.makeTempDirSync({ prefix: "gander-test-" });
  const io = { out: () => {}, err: () => {}, stop: new AbortController().signal };
  const gander = await compose({
    flags: { bundle: "builtin-tiny", fsync: "normal", log_level: "silent", port: 0, ...flags, data_dir },
  }, io);
  await gander.open();
  return {
    gander,
    data_dir,
    [Symbol.asyncDispose]: async () => {
      await gander.close();
      if (flags.data_dir === undefined) Deno.removeSync(data_dir, { recursive: true });
    },
  };
}

/** Adds a stream and resolves when its source has ended, with every caption of its log. */
export async function playThrough(
  gander: Gander,
  request: StreamRequest & { id: string },
): Promise<Caption[]> {
  const { service } = gander;
  const ended = new Promise<string>((resolve) => {
    const unlisten = service.listen((event) => {
      if (event.type !== "stream.status" || event.stream !== request.id) return;
      if (event.status !== "ended" && event.status !== "denied") return;
      unlisten();
      resolve(event.reason);
    });
  });
  await service.add(request);
  await ended;
  return service.captions(request.id, { limit: 100_000 });
}

/** The exported state at the stream's newest tick. */
export async function stateOf(
  gander: Gander,
  id: string,
): Promise<{ tick: number; seq: number; blob: Uint8Array }> {
  const head = await gander.service.takeSnapshot(id);
  const { blob } = await gander.service.readSnapshot(id, head.tick);
  return { tick: head.tick, seq: head.seq, blob };
}
