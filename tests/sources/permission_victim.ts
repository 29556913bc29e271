// Run by permission_test.ts under a list of permissions: watches one source to its end and says what it saw.
import { openSource } from "../../streams/mod.ts";

const statuses: string[] = [];
let last_reason = "";
let frame_count = 0, preview_count = 0;
const stop = new AbortController();
const policy = { allow_files: true, allow_loopback: true, allow_private: false };
await openSource({ url: Deno.args[0] }, policy, { retry_first_ms: 10 }).run(
  { width_px: 32, height_px: 24, rate_hz: 2, pace: "lossless", start_at_ms: 0 },
  {
    onFrame: () => void frame_count++,
    onPreview: () => void preview_count++,
    onStatus: (status, reason) => {
      statuses.push(status);
      last_reason = reason;
      if (status === "reconnecting") stop.abort();
    },
  },
  stop.signal,
);
const previews = preview_count > 0 ? "previews" : "no previews";
const said = `${statuses.join(" ")}, ${frame_count} frames, ${previews}: ${last_reason}`;
await Deno.stdout.write(new TextEncoder().encode(said));
