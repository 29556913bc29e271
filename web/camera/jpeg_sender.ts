// Sends the camera as separate JPEG pictures: stateless, so any of them may be dropped. One in the making at a time.
import { openFrameCanvas } from "./frame_canvas.ts";
import { startPacer } from "./pacer.ts";
import type { PublishLink } from "./publish_link.ts";
import type { Sender } from "./sender.ts";

const rate_hz = 5;
const quality = 0.7;

export async function startJpegSender(media: MediaStream, link: PublishLink): Promise<Sender> {
  const frames = await openFrameCanvas(media);
  const { canvas } = frames;
  let encoding = false;
  const stop = startPacer(1000 / rate_hz, () => {
    if (encoding || !frames.draw()) return;
    const ticket = link.reserve();
    if (ticket === undefined) return;
    encoding = true;
    const t_media_us = BigInt(Math.round(performance.now() * 1000));
    canvas.toBlob(
      async (blob) => {
        if (blob) {
          const header = { key_frame: true, width_px: canvas.width, height_px: canvas.height, t_media_us };
          link.send(ticket, header, new Uint8Array(await blob.arrayBuffer()));
        } else link.gate.release(ticket);
        encoding = false;
      },
      "image/jpeg",
      quality,
    );
  });
  return {
    restart() {},
    credit() {},
    stop() {
      stop();
      frames.close();
    },
  };
}
