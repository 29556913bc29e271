// Raw frames become a real video file, by ffmpeg. Must not know scenes.
import { GanderError } from "../errors.ts";

export interface VideoShape {
  width_px: number;
  height_px: number;
  fps: number;
  /** H.264 without looking ahead: what a frame becomes in the file depends on those before it alone. */
  causal?: boolean;
}

/** mp4 (H.264) or webm (VP8), by the file's name. Throws GanderError `video_failed`; nothing is left then. */
export async function writeVideo(
  path: string,
  { width_px, height_px, fps, causal = false }: VideoShape,
  frames: Iterable<Uint8Array>,
  stop: AbortSignal,
): Promise<void> {
  const webm = path.endsWith(".webm");
  const coding = webm ? ["-c:v", "libvpx", "-deadline", "realtime", "-b:v", "1M", "-f", "webm"] : [
    "-c:v",
    "libx264",
    "-preset",
    "veryfast",
    "-crf",
    "23",
    ...(causal ? ["-tune", "zerolatency"] : []),
    "-g",
    String(2 * fps),
    "-movflags",
    "+faststart",
    "-f",
    "mp4",
  ];
  const input = [
    "-f",
    "rawvideo",
    "-pix_fmt",
    "rgb24",
    "-s",
    `${width_px}x${height_px}`,
    "-r",
    String(fps),
    "-i",
    "pipe:0",
  ];
  const part = `${path}.part`;
  const child = new Deno.Command(Deno.env.get("GANDER_FFMPEG") ?? "ffmpeg", {
    args: ["-v", "error", "-y", ...input, ...coding, "-pix_fmt", "yuv420p", part],
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
    signal: stop,
  }).spawn();
  const said = new Response(child.stderr).text();
  const writer = child.stdin.getWriter();
  try {
    for (const frame of frames) await writer.write(frame);
    await writer.close();
  } catch {
    // ffmpeg went away; its reason follows.
  }
  const { success } = await child.status;
  const reason = (await said).trim().split("\n").at(-1);
  if (success) return await Deno.rename(part, path);
  await Deno.remove(part).catch(() => {});
  throw new GanderError("video_failed", `Cannot write video "${path}": ${reason || "ffmpeg was stopped"}`);
}
