// Run by orphan_test.ts to be killed: opens the address it is given and watches it for ever.
import { openSource } from "../../streams/mod.ts";

const policy = { allow_files: false, allow_loopback: true, allow_private: false };
const request = { width_px: 32, height_px: 24, rate_hz: 2, pace: "live", start_at_ms: 0 } as const;
await openSource({ url: Deno.args[0] }, policy).run(
  request,
  { onFrame() {}, onPreview() {}, onStatus() {} },
  new AbortController().signal,
);
