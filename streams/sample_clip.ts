// A film for people who have no camera at hand: shapes that come, meet, stand still and go, and hard cuts, so there is
// something to say and something to keep quiet about. Must not know who plays it.
import { SourceError } from "./errors.ts";
import type { FfmpegArgs } from "./ffmpeg_args.ts";
import { startFfmpeg } from "./ffmpeg_process.ts";

const box = (color: string, size: string, duration_s: number, name: string) =>
  `color=c=${color}:s=${size}:r=25:d=${duration_s}[${name}]`;

/** Five scenes, 45 s. Commas inside expressions are escaped for the filter graph. */
const scenes = [
  // A red van drives through a field from the left and is gone after eight seconds.
  box("0x8fbfe0", "640x360", 10, "a0"),
  box("0x5f9a4c", "640x110", 10, "a1"),
  box("0xf4d03f", "48x48", 10, "a2"),
  box("0xd9372b", "90x48", 10, "a3"),
  box("0x202020", "18x18", 10, "a4"),
  "[a0][a1]overlay=0:250[a5];[a5][a2]overlay=550:36[a6]",
  "[a6][a3]overlay=x=t*95-90:y=236[a7];[a7][a4]overlay=x=t*95-74:y=276[a8]",
  // A blue ball bounces in a grey room, then lies still.
  box("0xb8b4ac", "640x360", 9, "b0"),
  box("0x7d6b58", "640x60", 9, "b1"),
  box("0x2456c8", "46x46", 9, "b2"),
  "[b0][b1]overlay=0:300[b3]",
  "[b3][b2]overlay=x=min(t\\,5)*70+60:y=254-max(0\\,5-t)*38*abs(sin(t*3.2))[b4]",
  // Night: a white light blinks, nothing else.
  box("0x0b1026", "640x360", 8, "c0"),
  box("white", "14x14", 8, "c1"),
  "[c0][c1]overlay=x=313:y=120:enable=lt(mod(t\\,1.6)\\,0.4)[c2]",
  // A green and an orange shape come from both sides, meet, wait, and part.
  box("0xefe6d4", "640x360", 10, "d0"),
  box("0x2e9e5b", "70x120", 10, "d1"),
  box("0xe67e22", "70x90", 10, "d2"),
  "[d0][d1]overlay=x=if(lt(t\\,4)\\,t*60\\,if(lt(t\\,7)\\,240\\,240-(t-7)*80)):y=150[d3]",
  "[d3][d2]overlay=x=if(lt(t\\,4)\\,570-t*60\\,if(lt(t\\,7)\\,330\\,330+(t-7)*80)):y=180[d4]",
  // The field again, empty, until the van comes back from the right.
  box("0x8fbfe0", "640x360", 8, "e0"),
  box("0x5f9a4c", "640x110", 8, "e1"),
  box("0xf4d03f", "48x48", 8, "e2"),
  box("0xd9372b", "90x48", 8, "e3"),
  "[e0][e1]overlay=0:250[e4];[e4][e2]overlay=550:36[e5]",
  "[e5][e3]overlay=x=640-max(0\\,t-3)*110:y=236[e6]",
  "[a8][b4][c2][d4][e6]concat=n=5:v=1:a=0,format=yuv420p[out0]",
];

function clipArgs(path: string, encoder: string[]): FfmpegArgs {
  return {
    input_options: ["-hide_banner", "-nostdin", "-loglevel", "error", "-f", "lavfi"],
    address: scenes.join(";"),
    outputs: [{ options: ["-an", ...encoder, "-movflags", "+faststart", "-f", "mp4"], address: path }],
  };
}

/** Writes a 45 s film of 640x360 at 25 per second, H.264 in MP4, well under 4 MB. Throws SourceError. */
export async function makeSampleClip(path: string): Promise<void> {
  const encoders = [
    ["-c:v", "libx264", "-preset", "veryfast", "-crf", "24", "-g", "50"],
    // Builds without libx264 have this one.
    ["-c:v", "mpeg4", "-q:v", "5", "-g", "50"],
  ];
  const unfinished = `${path}.part`;
  let stderr = "";
  for (const encoder of encoders) {
    const exit = await startFfmpeg(clipArgs(unfinished, encoder), { onOutput: () => {} }).ended;
    if (exit.code === 0) return await Deno.rename(unfinished, path);
    stderr = exit.stderr;
  }
  await Deno.remove(unfinished).catch(() => {});
  throw new SourceError(
    "unreachable",
    "sample clip",
    stderr.trim().split("\n").at(-1) || "ffmpeg cannot be started",
  );
}
