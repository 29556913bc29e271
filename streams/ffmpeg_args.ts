// What is asked of ffmpeg, as text: a configuration becomes an argument list. Pure, so tests compare words.
// Must not know processes, retries or policy: whatever comes in here was already allowed.
import { source_limits } from "./limits.ts";

export type MediaFormat =
  | "mov"
  | "matroska"
  | "mpegts"
  | "mpeg"
  | "avi"
  | "flv"
  | "ogg"
  | "mjpeg"
  | "mpjpeg"
  | "hls";

export type DecodeInput =
  | { kind: "file"; path: string; format: MediaFormat }
  | {
    kind: "http";
    url: string;
    format: MediaFormat;
    proxy_url: string;
    /** The server's certificate must be trusted, by the roots in this file where there is one. */
    verify_tls?: { roots_file: string | undefined };
  }
  | { kind: "rtsp"; url: string; transport: "tcp" | "udp" }
  | { kind: "testsrc"; graph: string }
  | { kind: "stdin"; format: "mpjpeg" | "h264" | "matroska" };

export interface DecodeConfig {
  input: DecodeInput;
  width_px: number;
  height_px: number;
  /** crop: the middle of the picture, in the shape of the frame, and nothing squeezed. Default: stretch. */
  fit?: "stretch" | "crop";
  rate_hz: number;
  /**
   * media: frame n is the picture on screen at start_s + n / rate of the recording, exactly.
   * arrival: the first picture of every 1 / rate of wall time; clocks of cameras jump, wrap and lie.
   * every: each decoded picture, one out for one in.
   */
  timing: "media" | "arrival" | "every";
  /** Media time of frame 0. Only for `media`. */
  start_s: number;
  /** Where reading starts, at or before start_s. Only where the container has an exact index. */
  seek_s: number;
  /** Read no faster than real time: recordings shown live, and bursts of HLS segments. */
  real_time: boolean;
  /** Read before decoding begins, live input only: a transport stream waits until all of it is there. */
  probe_bytes?: number;
  preview?: { socket_path: string; width_px_max: number; rate_hz: number };
  /** Say what was found (codec, size, rate) and not only what went wrong. */
  verbose?: boolean;
}

export interface FfmpegArgs {
  input_options: string[];
  /** An address, or undefined for standard input. */
  address: string | undefined;
  outputs: FfmpegOutput[];
}

export interface FfmpegOutput {
  options: string[];
  /** Undefined for standard output; at most one is. */
  address: string | undefined;
}

/** Everything a camera, a browser or a film may carry; no subtitles, no images with embedded links (SVG). */
const decoders =
  "h264,hevc,mjpeg,mpeg4,msmpeg4,msmpeg4v2,mpeg2video,mpeg1video,h263,flv,vp8,vp9,libvpx,libvpx-vp9,av1," +
  "libdav1d,libaom-av1,theora,prores,dnxhd,ffv1,rawvideo,wrapped_avframe,png," +
  "aac,mp3,mp3float,mp2,mp2float,ac3,eac3,opus,libopus,vorbis,flac,pcm_s16le,pcm_alaw,pcm_mulaw";

const protocols = {
  file: "file",
  http: "http,https,httpproxy,tcp,tls",
  hls: "http,https,httpproxy,tcp,tls,crypto",
  rtsp: "rtsp,rtp,udp,tcp,tls",
  testsrc: "pipe",
  stdin: "pipe",
};

function isLive(input: DecodeInput, timing: DecodeConfig["timing"]): boolean {
  return timing !== "media" && input.kind !== "testsrc" && input.kind !== "file";
}

function inputOptions(config: DecodeConfig): string[] {
  const { input, timing, seek_s, real_time, verbose, probe_bytes = source_limits.probe_bytes } = config;
  const hls = input.kind === "http" && input.format === "hls";
  const options = ["-hide_banner", "-nostats", "-loglevel", verbose ? "info" : "error"];
  if (input.kind !== "stdin") options.push("-nostdin");
  options.push(
    ...["-protocol_whitelist", hls ? protocols.hls : protocols[input.kind]],
    ...["-codec_whitelist", decoders],
    ...["-max_pixels", String(source_limits.pixels_max)],
    ...["-max_streams", String(source_limits.tracks_max)],
    // More threads buy nothing at these rates, and memory grows with each.
    ...["-threads", input.kind === "stdin" ? "1" : "4"],
  );
  if (isLive(input, timing)) {
    // Steady latency of H.264 went from 2000 to 72 ms with these three. Never `-fflags nobuffer`: it throws away
    // what was read while probing, the first key picture with it, and WebM then decodes nothing.
    options.push("-flags", "low_delay", "-probesize", String(probe_bytes), "-analyzeduration", "0");
    options.push("-fpsprobesize", "0");
  }
  if (real_time) options.push("-re");
  if (seek_s > 0) options.push("-ss", String(seek_s));
  const idle_us = String(source_limits.socket_idle_ms_max * 1_000);
  switch (input.kind) {
    case "file":
      options.push("-f", input.format);
      break;
    case "http":
      options.push("-http_proxy", input.proxy_url, "-rw_timeout", idle_us, "-max_redirects", "5");
      if (input.verify_tls) options.push("-tls_verify", "1");
      if (input.verify_tls?.roots_file) options.push("-ca_file", input.verify_tls.roots_file);
      // A kept connection would carry a second request past the gate's one look at it.
      if (hls) options.push("-http_persistent", "0");
      options.push("-f", input.format);
      break;
    case "rtsp":
      options.push("-rtsp_transport", input.transport, "-timeout", idle_us, "-allowed_media_types", "video");
      options.push("-f", "rtsp");
      break;
    case "testsrc":
      options.push("-f", "lavfi");
      break;
    case "stdin":
      options.push("-f", input.format);
      break;
  }
  return options;
}

/** Seconds as ffmpeg's expression evaluator reads them: plain decimals, microseconds at most. */
function seconds(value: number): string {
  return String(Number(value.toFixed(9)));
}

const stamp_arrival = "setpts=(RTCTIME-RTCSTART)/(TB*1000000)";

function samplingFilters({ timing, rate_hz, start_s, seek_s }: DecodeConfig): string[] {
  if (timing === "every") return [];
  if (timing === "arrival") {
    const slot = (time: string) => `floor(${time}*${rate_hz})`;
    // `fps` would fill a silence of an hour with an hour of copies; this only ever chooses among what came.
    const due = `isnan(prev_selected_t)+gt(${slot("t")},${slot("prev_selected_t")})+lt(t,prev_selected_t)`;
    return [stamp_arrival, `select='${due}'`];
  }
  const filters = seek_s > 0 ? [`setpts=PTS+${seconds(seek_s)}/TB`] : [];
  // `up`: output n is the newest input at or before its time, never a later one.
  filters.push(`fps=fps=${rate_hz}:start_time=${seconds(start_s)}:round=up`);
  return filters;
}

/**
 * The middle first, then its size: the other way round a picture of 1 x 10000 would become a huge one on the way.
 * Cut at whole pixels (pairs of them, where the colours of two are stored as one).
 */
function fitFilters({ fit, width_px, height_px }: DecodeConfig): string[] {
  if (fit !== "crop") return [];
  return [`crop=w='min(iw,ih*${width_px}/${height_px})':h='min(ih,iw*${height_px}/${width_px})'`];
}

function frameOptions(config: DecodeConfig): string[] {
  const { width_px, height_px } = config;
  const filters = [
    ...samplingFilters(config),
    ...fitFilters(config),
    // Bit-exact scaling, so that two runs of a recording are the same bytes on every processor.
    `scale=${width_px}:${height_px}:flags=bilinear+accurate_rnd+full_chroma_int+bitexact`,
    "format=rgb24",
  ];
  return [
    ...["-map", "0:v:0", "-an", "-sn", "-dn", "-vf", filters.join(",")],
    // The "encoder" of raw pictures is threaded by frames and holds one back per thread: half a second at 2 Hz.
    ...["-threads", "1"],
    // The filter chose the frames; the muxer must neither add nor drop.
    ...["-fps_mode", "passthrough", "-flush_packets", "1", "-f", "rawvideo", "-pix_fmt", "rgb24"],
  ];
}

function previewOutput(config: DecodeConfig, preview: NonNullable<DecodeConfig["preview"]>) {
  const { rate_hz, width_px_max, socket_path } = preview;
  // A hair under the period, because a camera at exactly this rate would otherwise lose every second picture.
  const period_s = seconds(0.95 / rate_hz);
  const due = `isnan(prev_selected_t)+gte(t-prev_selected_t,${period_s})+lt(t,prev_selected_t)`;
  const filters = [
    ...(config.timing === "arrival" ? [stamp_arrival] : []),
    `select='${due}'`,
    `scale='min(${width_px_max},iw)':-2`,
    "format=yuvj420p",
  ];
  return {
    options: [
      ...["-map", "0:v:0", "-an", "-sn", "-dn", "-vf", filters.join(",")],
      ...[
        "-threads",
        "1",
        "-fps_mode",
        "passthrough",
        "-c:v",
        "mjpeg",
        "-q:v",
        "5",
        "-flush_packets",
        "1",
        "-f",
        "mpjpeg",
      ],
    ],
    address: `unix:${socket_path}`,
  };
}

function addressOf(input: DecodeInput): string | undefined {
  switch (input.kind) {
    // The prefix keeps a colon or a percent sign in a file name from being read as something else.
    case "file":
      return `file:${input.path}`;
    case "testsrc":
      return input.graph;
    case "stdin":
      return undefined;
    default:
      return input.url;
  }
}

/** The argument list that decodes one input to raw RGB frames on standard output, and previews to a socket. */
export function decodeArgs(config: DecodeConfig): FfmpegArgs {
  return {
    input_options: inputOptions(config),
    address: addressOf(config.input),
    outputs: [
      { options: frameOptions(config), address: undefined },
      ...config.preview ? [previewOutput(config, config.preview)] : [],
    ],
  };
}
