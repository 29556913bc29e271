// Headless Chromium for tests: whether it is there, how it is opened, and a film for its fake camera.
import { type Browser, chromium } from "playwright-core";

const executable_path = Deno.env.get("CHROMIUM_PATH") ?? "/usr/bin/chromium";

/** Why tests with a browser cannot run here; undefined when they can. */
export const chromium_missing: string | undefined = await Deno.stat(executable_path).then(
  () => undefined,
  () => `no Chromium at ${executable_path}: install it or set CHROMIUM_PATH`,
);

const quiet_args = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export interface BrowserOptions {
  /** Absolute path of an .mjpeg or .y4m file that the fake camera plays; permission is then given at once. */
  camera_file?: string;
}

export async function openBrowser({ camera_file }: BrowserOptions = {}): Promise<Browser> {
  const camera_args = camera_file === undefined ? [] : [
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    `--use-file-for-fake-video-capture=${camera_file}`,
  ];
  return await chromium.launch({ executablePath: executable_path, args: [...quiet_args, ...camera_args] });
}

/**
 * Four seconds of ffmpeg's moving test picture, 640x480. MJPEG: 1.7 MB where y4m takes 55; 4:2:0, because Chromium
 * shows any other subsampling as plain green. Throws without ffmpeg.
 */
export async function makeCameraClip(path: string): Promise<string> {
  const source = ["-f", "lavfi", "-i", "testsrc=size=640x480:rate=30", "-t", "4"];
  const args = [
    "-v",
    "error",
    "-y",
    ...source,
    "-c:v",
    "mjpeg",
    "-pix_fmt",
    "yuvj420p",
    "-q:v",
    "5",
    "-f",
    "mjpeg",
    path,
  ];
  const { success, stderr } = await new Deno.Command("ffmpeg", { args, stderr: "piped" }).output();
  if (!success) throw new Error(`ffmpeg made no camera clip: ${new TextDecoder().decode(stderr)}`);
  return path;
}
