// Every code that an error of Gander may carry, room by room. The rooms below pipeline are not imported (they are
// seen only through ports), so their codes are listed here; tests/tidy/errors_test.ts holds these lists to theirs.
import type { CapacityCode, RequestCode } from "../errors.ts";

export type SourceCode =
  | "unreachable"
  | "stalled"
  | "ended"
  | "replaced"
  | "format"
  | "denied"
  | "too_large"
  | "limits";

export type NativeCode =
  | "misuse"
  | "file"
  | "format"
  | "memory"
  | "full"
  | "busy"
  | "space"
  | "no_device"
  | "device_lost"
  | "foreign"
  | "internal";

export type ModelCode = "bundle_missing" | "bundle_invalid" | "bundle_damaged" | "tokenizer_invalid";
export type ImportCode = "import_unreadable" | "import_refused" | "import_damaged" | "import_unwritable";
export type VisionCode =
  | "vision_model"
  | "vision_input"
  | "vision_output"
  | "vision_busy"
  | "vision_lost"
  | "vision_closed";
export type StoreCode = "disk_full" | "store_failed" | "store_damaged";

/** What this room refuses by itself. */
export type HttpCode =
  | "unauthorized"
  | "forbidden_origin"
  | "forbidden_host"
  | "not_found"
  | "method_not_allowed"
  | "bad_request"
  | "unsupported_media_type"
  | "too_large"
  | "rate_limited"
  | "not_ready"
  | "internal";

/** Codes that two rooms share (format, too_large, internal) mean the same to a client, so they share a row. */
export type Code =
  | RequestCode
  | CapacityCode
  | "config_invalid"
  | SourceCode
  | NativeCode
  | ModelCode
  | ImportCode
  | VisionCode
  | StoreCode
  | HttpCode;
