// Bounds that two rooms hold because they may not import each other are one number.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { fileURLToPath } from "node:url";
import { config_schema } from "../../src/config.ts";
import { http_limits } from "../../src/http/limits.ts";
import { manifest_schema } from "../../src/model/manifest.ts";
import { limits } from "../../src/pipeline/limits.ts";
import { vision_limits } from "../../src/vision/limits.ts";
import { push_header_bytes, refresh_schema, wire_limits } from "../../src/wire/mod.ts";
import { source_limits } from "../../streams/limits.ts";
import { sourceFiles } from "./source_files.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Of a manifest's `tick`. */
const rate_hz = manifest_schema.shape.tick.unwrap().shape.rate_hz;

describe("limits", () => {
  it("of what may be asked for are those of the pipeline", () => {
    const { tick_rate_hz_min, tick_rate_hz_max, question_chars_max, question_deadline_ms_max } = limits;
    expect(wire_limits).toMatchObject({
      tick_rate_hz_min,
      tick_rate_hz_max,
      question_chars_max,
      question_deadline_ms_max,
    });
    expect([rate_hz.minValue, rate_hz.maxValue]).toEqual([tick_rate_hz_min, tick_rate_hz_max]);
  });

  it("of policy refresh are those of a bundle", () => {
    const bundle = manifest_schema.shape.refresh.unwrap().shape;
    const stream = refresh_schema.shape;
    const inside = (field: { unwrap(): unknown }) => field.unwrap() as { minValue: number; maxValue: number };
    for (const name of ["cadence_s", "every_s", "change_min"] as const) {
      const { minValue, maxValue } = inside(bundle[name]);
      expect([name, minValue, maxValue]).toEqual([name, stream[name].minValue, stream[name].maxValue]);
    }
    expect(stream.instruction.maxLength).toBe(
      (bundle.instruction.unwrap() as typeof stream.instruction).maxLength,
    );
    for (const [option, name] of [["cadence", "cadence_s"], ["refresh", "every_s"]] as const) {
      const { minValue, maxValue } = stream[name];
      for (const value of [minValue, maxValue]) {
        expect(config_schema.shape[option].safeParse(value).success).toBe(true);
      }
      for (const value of [minValue! / 2, maxValue! + 1]) {
        expect(config_schema.shape[option].safeParse(value).success).toBe(false);
      }
    }
  });

  it("of sources are those of the sources room", () => {
    expect(wire_limits.url_chars_max).toBe(source_limits.address_chars_max);
    expect(wire_limits.push_payload_bytes_max).toBe(source_limits.push_message_bytes_max);
    expect(source_limits.push_jpeg_bytes_max).toBeLessThanOrEqual(source_limits.push_message_bytes_max);
    expect(http_limits.publish_bytes_max).toBe(wire_limits.push_payload_bytes_max + push_header_bytes);
    expect(http_limits.picture_bytes_max).toBe(source_limits.picture_bytes_max);
    // As base64 in JSON, with words around it.
    expect(http_limits.chat_bytes_max).toBeGreaterThan(source_limits.picture_bytes_max * 4 / 3 + (1 << 20));
  });

  it("of vision take every picture that is decoded", () => {
    const { picture_side_px_max, picture_pixels_max, queue_bytes_max } = vision_limits;
    expect(picture_side_px_max).toBeGreaterThanOrEqual(source_limits.picture_side_px_max);
    expect(picture_pixels_max).toBeGreaterThanOrEqual(source_limits.picture_pixels_max);
    expect(queue_bytes_max).toBeGreaterThanOrEqual(2 * 3 * source_limits.picture_pixels_max);
  });

  it("fit each other: replay alone never makes a viewer slow, and one viewer cannot take all questions", () => {
    expect(http_limits.viewer_page_captions).toBeLessThan(limits.viewer_events_soft);
    expect(http_limits.viewer_questions_max).toBeLessThan(limits.questions_active_max);
    expect(http_limits.viewer_picture_bytes).toBeLessThan(http_limits.viewer_bytes_soft);
    expect(http_limits.viewer_bytes_soft).toBeLessThan(http_limits.viewer_bytes_max);
  });

  it("of src/http and src/store stand in their limits.ts", () => {
    const files = ["src/http", "src/store"].flatMap((room) => [...sourceFiles(root, /\.ts$/, room)]);
    const strays = files.flatMap(({ path, text }) => {
      if (path.endsWith("/limits.ts")) return [];
      const found = text.match(/^(export )?const \w+_(max|min|ms|captions|count) = \d.*$/gm) ?? [];
      return found.map((line) => `${path}: ${line}`);
    });
    // How long a caption is shown is a style, not a bound.
    expect(strays).toEqual(["src/http/caption_export.ts: const cue_ms_max = 4_000;"]);
  });
});
