// The public names of this room. What is not here is private to it.
export { type AddressClass, classifyAddress, type Resolver, type SourcePolicy } from "./address_policy.ts";
export { type SourceCode, SourceError, type SourceRetry } from "./errors.ts";
export { guard_path } from "./ffmpeg_process.ts";
export type { Frame, FrameRequest, FrameSource, SourceCounts, SourceEvents, SourceStatus } from "./frame.ts";
export { source_limits } from "./limits.ts";
export { openSource, type OpenSourceOptions, type SourceSpec } from "./open_source.ts";
export { type DecodedPicture, decodePicture, type DecodePictureOptions } from "./picture.ts";
export { type ProbeOptions, type ProbeResult, probeSource } from "./probe_source.ts";
export type { PullSource } from "./pull_source.ts";
export type { PushCodec, PushMessage } from "./push_message.ts";
export type { PushConnection, PushDrop, PushSession, PushVerdict } from "./push_session.ts";
export { type PushOptions, PushSource } from "./push_source.ts";
export { makeSampleClip } from "./sample_clip.ts";
export type { SourceClock, SourceDeps, SourceLog } from "./source_deps.ts";
export { parseSource, redact, type SourceLocation } from "./source_url.ts";
