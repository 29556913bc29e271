// Plays a video file for training as the service plays it: every tick, and whether the gate for still frames would leave it out.
// Wires the decoder and the gate; must not know what is learned.
import { openSource } from "../../streams/mod.ts";
import { ChangeGate, makeThumbnail } from "../pipeline/change_gate.ts";
import type { WatchVideo } from "../train/video/tick_file.ts";

/** Files of whoever runs this command, and no network. */
const policy = { allow_files: true, allow_loopback: false, allow_private: false };

export const watchVideo: WatchVideo = async (path, frames, onFrame, signal) => {
  const over = new AbortController();
  const stop = AbortSignal.any([signal, over.signal]);
  const gate = new ChangeGate(true);
  let failed: string | undefined, lost: unknown;
  const source = openSource({ url: await Deno.realPath(path) }, policy, { previews: false });
  await source.run({ ...frames, pace: "lossless", start_at_ms: 0 }, {
    async onFrame({ rgb, width_px, height_px, t_media_ms }) {
      const still = !gate.admit(makeThumbnail(rgb, width_px, height_px), t_media_ms);
      await onFrame({ rgb, still }).catch((error) => {
        lost ??= error;
        over.abort();
      });
    },
    onPreview() {},
    onStatus(status, reason) {
      // A file that does not simply play is a bad one: nothing is tried again.
      if (status === "connecting" || status === "live" || status === "ended") return;
      failed ??= reason.replace(/; next try in .*$/, "");
      over.abort();
    },
  }, stop);
  if (lost !== undefined) throw lost;
  return failed;
};
