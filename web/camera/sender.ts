// What every way of sending a camera offers, and which ways this browser has.
import type { PushFormat } from "../../src/wire/mod.ts";

export interface Sender {
  /** The socket is new: begin with a picture that a decoder can start at. */
  restart(): void;
  /** More may be sent. */
  credit(): void;
  stop(): void;
}

export const h264_codec = "avc1.42001f";
export const webm_types = ["video/webm;codecs=vp8", "video/webm"] as const;

export const format_names: Record<PushFormat, string> = {
  jpeg: "JPEG pictures",
  h264: "H.264 (less data)",
  webm: "WebM recording",
};

/** JPEG works everywhere; the others where the browser has the encoder. */
export async function supportedFormats(): Promise<PushFormat[]> {
  const formats: PushFormat[] = ["jpeg"];
  const config = { codec: h264_codec, width: 640, height: 480, avc: { format: "annexb" as const } };
  const h264 = typeof VideoEncoder === "function" &&
    await VideoEncoder.isConfigSupported(config).then((answer) => answer.supported, () => false);
  if (h264) formats.push("h264");
  const webm = typeof MediaRecorder === "function" &&
    webm_types.some((type) => MediaRecorder.isTypeSupported(type));
  if (webm) formats.push("webm");
  return formats;
}
