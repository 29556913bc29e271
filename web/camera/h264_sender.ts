// Sends the camera as H.264 in Annex B framing through WebCodecs: about a tenth of the bytes of JPEG. A picture
// without credit is not encoded at all, so the encoder's chain of references never breaks.
import { openFrameCanvas } from "./frame_canvas.ts";
import { startPacer } from "./pacer.ts";
import type { PublishLink } from "./publish_link.ts";
import { h264_codec, type Sender } from "./sender.ts";

const rate_hz = 10;
const bitrate_bps = 800_000;
/** A decoder that lost its place finds it again within two seconds. */
const key_frame_every = 20;

export async function startH264Sender(
  media: MediaStream,
  link: PublishLink,
  onError: (words: string) => void,
): Promise<Sender> {
  const frames = await openFrameCanvas(media);
  const { canvas } = frames;
  const tickets: number[] = [];
  let encoded_count = 0;
  let need_key = true;
  let configured_size = "";

  const encoder = new VideoEncoder({
    output(chunk) {
      const payload = new Uint8Array(chunk.byteLength);
      chunk.copyTo(payload);
      const header = {
        key_frame: chunk.type === "key",
        width_px: canvas.width,
        height_px: canvas.height,
        t_media_us: BigInt(chunk.timestamp),
      };
      if (!link.send(tickets.shift() ?? -1, header, payload)) need_key = true;
    },
    error: (error) => onError(`The browser's H.264 encoder stopped: ${error.message}`),
  });

  const stop = startPacer(1000 / rate_hz, () => {
    if (encoder.state === "closed" || encoder.encodeQueueSize > 1 || !frames.draw()) return;
    const ticket = link.reserve();
    if (ticket === undefined) return;
    const size = `${canvas.width}x${canvas.height}`;
    if (size !== configured_size) {
      encoder.configure({
        codec: h264_codec,
        width: canvas.width,
        height: canvas.height,
        bitrate: bitrate_bps,
        framerate: rate_hz,
        latencyMode: "realtime",
        avc: { format: "annexb" },
      });
      configured_size = size;
      need_key = true;
    }
    tickets.push(ticket);
    const frame = new VideoFrame(canvas, { timestamp: Math.round(performance.now() * 1000) });
    encoder.encode(frame, { keyFrame: need_key || encoded_count % key_frame_every === 0 });
    frame.close();
    need_key = false;
    encoded_count++;
  });

  return {
    restart: () => need_key = true,
    credit() {},
    stop() {
      stop();
      if (encoder.state !== "closed") encoder.close();
      frames.close();
    },
  };
}
