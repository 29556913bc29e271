// Sends the camera as a WebM recording through MediaRecorder. Pieces depend on all before them, so they wait a
// little for credit; when too many wait, all are dropped and the recording begins anew on a new socket.
import type { PublishLink } from "./publish_link.ts";
import { type Sender, webm_types } from "./sender.ts";

const slice_ms = 200;
const waiting_max = 15;
const bitrate_bps = 1_000_000;

export function startWebmSender(media: MediaStream, link: PublishLink): Sender {
  const mimeType = webm_types.find((type) => MediaRecorder.isTypeSupported(type));
  const { width = 0, height = 0 } = media.getVideoTracks()[0]?.getSettings() ?? {};
  let recorder: MediaRecorder | undefined;
  let waiting: Uint8Array[] = [];
  let first = true;

  const flush = () => {
    while (waiting.length > 0 && link.gate.credits > 0) {
      const ticket = link.reserve();
      if (ticket === undefined) return;
      const t_media_us = BigInt(Math.round(performance.now() * 1000));
      link.send(
        ticket,
        { key_frame: first, width_px: width, height_px: height, t_media_us },
        waiting.shift()!,
      );
      first = false;
    }
  };

  const end = () => {
    if (recorder && recorder.state !== "inactive") recorder.stop();
    recorder = undefined;
    waiting = [];
  };

  const begin = () => {
    end();
    first = true;
    const current = new MediaRecorder(media, { mimeType, videoBitsPerSecond: bitrate_bps });
    recorder = current;
    let order: Promise<void> = Promise.resolve();
    current.ondataavailable = (event) => {
      // Blobs are read asynchronously; the chain keeps their order.
      order = order.then(async () => {
        const piece = new Uint8Array(await event.data.arrayBuffer());
        if (recorder !== current || piece.length === 0) return;
        waiting.push(piece);
        flush();
        if (waiting.length <= waiting_max) return;
        link.gate.dropped_count += waiting.length;
        end();
        link.connect();
      });
    };
    current.start(slice_ms);
  };

  return { restart: begin, credit: flush, stop: end };
}
