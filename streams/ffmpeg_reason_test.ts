import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { decoderFailure } from "./ffmpeg_reason.ts";
import { videoFacts } from "./probe_source.ts";

const failure = (stderr: string, finite = false) => {
  const { code, retry, reason } = decoderFailure({ label: "cam", stderr, finite });
  return `${code}/${retry}: ${reason}`;
};

describe("decoderFailure", () => {
  it("turns what ffmpeg says into what a person understands", () => {
    expect(failure("[rtsp] method DESCRIBE failed: 401 Unauthorized")).toContain("denied/never: user name");
    expect(failure("x: Server returned 404 Not Found")).toContain(
      "unreachable/backoff: the server knows no such stream",
    );
    expect(failure("tcp: Connection refused")).toBe("unreachable/backoff: connection refused");
    expect(failure("Picture size 16000x16000 exceeds specified max pixel count 8912896")).toContain(
      "too_large/never",
    );
    expect(failure("Stream map '0:v:0' matches no streams.", true)).toBe("format/never: it has no video");
    expect(failure("moov atom not found", true)).toContain("format/never: the file is incomplete");
    expect(failure("Invalid data found when processing input", false)).toContain("format/backoff");
    expect(failure("")).toBe("ended/backoff: the stream ended without a picture");
    expect(failure("[abc @ 0x1] something else")).toBe("ended/backoff: the decoder stopped: something else");
  });
});

describe("videoFacts", () => {
  it("reads codec, size and rate of the first video track", () => {
    const line =
      "  Stream #0:0[0x1](und): Video: h264 (High) (avc1 / 0x31637661), yuv420p(tv, bt709), 640x360 [SAR 1:1 DAR 16:9], 25 fps, 25 tbr";
    expect(videoFacts(line)).toEqual({ codec: "h264", width: 640, height: 360, fps: 25 });
    expect(videoFacts("  Stream #0:1: Audio: aac (LC), 48000 Hz")).toBeUndefined();
    expect(videoFacts("  Stream #0:0: Video: mjpeg, yuvj420p(pc), 320x180, 25 tbr")).toEqual({
      codec: "mjpeg",
      width: 320,
      height: 180,
    });
  });
});
