// Short films of the kinds that cameras, browsers and disks hold, made once per test file in a directory of its own.

export interface Clips {
  directory: string;
  remove(): Promise<void>;
  /** Absolute path of one of the files below. */
  path(name: string): string;
  bytes(name: string): Promise<Uint8Array<ArrayBuffer>>;
}

/** 6 s, 25 per second, 320x180, B-frames, a key picture every 2 s. */
export const clip_seconds = 6;

export async function ffmpeg(...args: string[]): Promise<void> {
  const all = ["-hide_banner", "-loglevel", "error", "-nostdin", "-y", ...args];
  const { success, stderr } = await new Deno.Command("ffmpeg", { args: all, stdout: "null" }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

const recipes: Record<string, (at: (name: string) => string) => string[]> = {
  "clip.mp4": (at) => [
    ...["-f", "lavfi", "-i", `testsrc2=size=320x180:rate=25:duration=${clip_seconds}`, "-c:v", "libx264"],
    ...[
      "-preset",
      "veryfast",
      "-bf",
      "2",
      "-g",
      "50",
      "-pix_fmt",
      "yuv420p",
      "-movflags",
      "+faststart",
      at("clip.mp4"),
    ],
  ],
  "clip.ts": (at) => ["-i", at("clip.mp4"), "-c", "copy", at("clip.ts")],
  "clip.mkv": (at) => ["-i", at("clip.mp4"), "-c", "copy", at("clip.mkv")],
  // As a browser sends it: no B-frames, a parameter set at every key picture.
  "live.h264": (at) => [
    ...[
      "-i",
      at("clip.mp4"),
      "-t",
      "3",
      "-c:v",
      "libx264",
      "-preset",
      "ultrafast",
      "-tune",
      "zerolatency",
      "-g",
      "25",
    ],
    ...["-x264-params", "repeat-headers=1:sliced-threads=0:aud=1", "-f", "h264", at("live.h264")],
  ],
  "live.webm": (at) => [
    ...[
      "-i",
      at("clip.mp4"),
      "-t",
      "3",
      "-c:v",
      "libvpx",
      "-deadline",
      "realtime",
      "-cpu-used",
      "8",
      "-b:v",
      "400k",
    ],
    ...["-f", "webm", "-live", "1", at("live.webm")],
  ],
  "pictures.mjpeg": (
    at,
  ) => ["-i", at("clip.mp4"), "-t", "2", "-c:v", "mjpeg", "-q:v", "6", "-f", "mjpeg", at("pictures.mjpeg")],
  "vod.m3u8": (at) => [
    ...["-i", at("clip.mp4"), "-c", "copy", "-f", "hls", "-hls_time", "2", "-hls_list_size", "0"],
    ...["-hls_playlist_type", "vod", "-hls_segment_filename", at("seg%d.ts"), at("vod.m3u8")],
  ],
};

/** Makes the named clips. `clip.mp4` is always there, the others need it. */
export async function makeClips(...names: (keyof typeof recipes & string)[]): Promise<Clips> {
  const directory = await Deno.makeTempDir({ prefix: "gander-clips-" });
  const path = (name: string) => `${directory}/${name}`;
  for (const name of new Set(["clip.mp4", ...names])) await ffmpeg(...recipes[name](path));
  return {
    directory,
    path,
    bytes: (name) => Deno.readFile(path(name)),
    remove: () => Deno.remove(directory, { recursive: true }),
  };
}

/** The JPEGs of a file that holds one after the other. */
export function splitJpegs(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>[] {
  const starts: number[] = [];
  for (let i = 0; i + 2 < bytes.byteLength; i++) {
    if (bytes[i] === 0xff && bytes[i + 1] === 0xd8 && bytes[i + 2] === 0xff) starts.push(i);
  }
  return starts.map((start, index) => bytes.slice(start, starts[index + 1] ?? bytes.byteLength));
}

/** Access units of H.264 that begin with a delimiter (NAL type 9). */
export function splitAccessUnits(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>[] {
  const starts: number[] = [];
  for (let i = 0; i + 4 < bytes.byteLength; i++) {
    const code = bytes[i] === 0 && bytes[i + 1] === 0 && bytes[i + 2] === 0 && bytes[i + 3] === 1;
    if (code && (bytes[i + 4] & 31) === 9) starts.push(i);
  }
  return starts.map((start, index) => bytes.slice(start, starts[index + 1] ?? bytes.byteLength));
}

/** The same JPEG with another size in its header: a bomb without the work of making one. */
export function resizedJpeg(
  jpeg: Uint8Array<ArrayBuffer>,
  width_px: number,
  height_px: number,
): Uint8Array<ArrayBuffer> {
  const copy = jpeg.slice();
  for (let at = 2; at + 8 < copy.byteLength;) {
    const marker = copy[at + 1];
    if (marker === 0xc0) {
      new DataView(copy.buffer).setUint32(at + 5, height_px << 16 | width_px);
      return copy;
    }
    at += 2 + (copy[at + 2] << 8 | copy[at + 3]);
  }
  throw new Error("no baseline frame header");
}
