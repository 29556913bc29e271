import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { decodeArgs, type DecodeConfig } from "./ffmpeg_args.ts";

const base: Omit<DecodeConfig, "input"> = {
  ...{ width_px: 224, height_px: 224, rate_hz: 2, timing: "media", start_s: 0, seek_s: 0, real_time: false },
};
const text = (config: DecodeConfig) => {
  const { input_options, address, outputs } = decodeArgs(config);
  return [
    ...input_options,
    "-i",
    address ?? "pipe:0",
    ...outputs.flatMap((to) => [...to.options, to.address ?? "pipe:1"]),
  ].join(" ");
};

describe("decodeArgs", () => {
  it("a file: its format, nothing else, exact sampling from a place in it", () => {
    const words = text({
      ...base,
      input: { kind: "file", path: "/v/a.mp4", format: "mov" },
      start_s: 7.5,
      seek_s: 5,
    });
    expect(words).toContain("-protocol_whitelist file -codec_whitelist");
    expect(words).toContain("-max_pixels 8912896 -max_streams 32");
    expect(words).toContain("-ss 5 -f mov -i file:/v/a.mp4");
    expect(words).toContain("-vf setpts=PTS+5/TB,fps=fps=2:start_time=7.5:round=up,scale=224:224:");
    expect(words).toContain(
      "-threads 1 -fps_mode passthrough -flush_packets 1 -f rawvideo -pix_fmt rgb24 pipe:1",
    );
    expect(words).not.toContain("-re");
    expect(words).not.toContain("low_delay");
  });

  it("a frame of another shape: squeezed unless the middle of it is asked for, and then cut before it is resized", () => {
    const input = { kind: "stdin", format: "mpjpeg" } as const;
    expect(text({ ...base, input, timing: "every" })).toContain("-vf scale=224:224:");
    const wide = { ...base, input, timing: "every", width_px: 336, height_px: 224, fit: "crop" } as const;
    expect(text(wide)).toContain("-vf crop=w='min(iw,ih*336/224)':h='min(ih,iw*224/336)',scale=336:224:");
  });

  it("a camera: low delay, time of arrival, and no nobuffer", () => {
    const input = { kind: "rtsp", url: "rtsp://127.0.0.1:9/cam", transport: "udp" } as const;
    const words = text({ ...base, input, timing: "arrival" });
    expect(words).toContain("-flags low_delay -probesize 32768 -analyzeduration 0");
    expect(words).toContain(
      "-rtsp_transport udp -timeout 20000000 -allowed_media_types video -f rtsp -i rtsp://",
    );
    expect(words).toContain(
      "setpts=(RTCTIME-RTCSTART)/(TB*1000000),select='isnan(prev_selected_t)+gt(floor(t*2),",
    );
    expect(words).not.toContain("nobuffer");
    expect(words).not.toContain("fps=fps");
  });

  it("HTTP: through the gate only", () => {
    const input = {
      kind: "http",
      url: "http://cam/x.m3u8",
      format: "hls",
      proxy_url: "http://127.0.0.1:7",
    } as const;
    const words = text({ ...base, input, real_time: true });
    expect(words).toContain("-protocol_whitelist http,https,httpproxy,tcp,tls,crypto ");
    expect(words).toContain(
      "-re -http_proxy http://127.0.0.1:7 -rw_timeout 20000000 -max_redirects 5 -http_persistent 0 -f hls",
    );
    for (const name of ["file", "data", "concat", "subfile", "pipe"]) {
      expect(words).not.toMatch(new RegExp(`whitelist [a-z,]*\\b${name}\\b[a-z,]* -codec`));
    }
  });

  it("HTTPS: verified where the server must be trusted, by the roots of this machine", () => {
    const input = {
      kind: "http",
      url: "https://cam/x",
      format: "mov",
      proxy_url: "http://127.0.0.1:7",
    } as const;
    expect(text({ ...base, input })).not.toContain("tls_verify");
    const verify = (roots_file: string | undefined) =>
      text({ ...base, input: { ...input, verify_tls: { roots_file } } });
    expect(verify("/etc/roots.crt")).toContain("-tls_verify 1 -ca_file /etc/roots.crt -f mov");
    expect(verify(undefined)).toContain("-tls_verify 1 -f mov");
  });

  it("pushed pictures: one out for one in", () => {
    const { address, outputs } = decodeArgs({
      ...base,
      input: { kind: "stdin", format: "mpjpeg" },
      timing: "every",
    });
    expect(address).toBeUndefined();
    expect(outputs[0].options.join(" ")).toContain("-vf scale=224:224:flags=");
  });

  it("previews: a second output, bounded in width and rate", () => {
    const preview = { socket_path: "/tmp/x/p", width_px_max: 640, rate_hz: 5 };
    const { outputs } = decodeArgs({
      ...base,
      input: { kind: "testsrc", graph: "testsrc2=size=64x48:rate=5" },
      preview,
    });
    expect(outputs[1].address).toBe("unix:/tmp/x/p");
    expect(outputs[1].options.join(" ")).toContain(
      "gte(t-prev_selected_t,0.19)+lt(t,prev_selected_t)',scale='min(640,iw)':-2",
    );
  });
});
