// Fake vision and language to go with the fake engine: for tests and UI work only.
import { limits } from "./limits.ts";
import { fake_silence_token, fake_stop_token, fake_width } from "./fake_engine.ts";
import type { Language, Picture, PictureLanguage, Vision } from "./ports.ts";

const words = (
  "light shape corner edge colour wall floor shadow stripe circle square motion left right up down slow quick " +
  "bright dark warm cold near far new old round flat tall small large soft"
).split(" ");

/** Four vectors: the mean colour of each quadrant. */
export class FakeVision implements Vision {
  readonly width_px = 16;
  readonly height_px = 16;
  readonly vectors_per_frame = 4;

  encode(rgb: Uint8Array): Promise<Float32Array> {
    const vectors = new Float32Array(this.vectors_per_frame * fake_width);
    for (let at = 0; at < rgb.length; at++) {
      const pixel = Math.floor(at / 3);
      const quadrant = (pixel >= 128 ? 2 : 0) + (pixel % 16 >= 8 ? 1 : 0);
      vectors[quadrant * fake_width + (at % 3)]! += rgb[at]! / (64 * 255);
    }
    return Promise.resolve(vectors);
  }

  /** One vector: the size and the first pixel. */
  encodePicture({ rgb, width_px, height_px }: Picture): Promise<Float32Array> {
    return Promise.resolve(Float32Array.of(width_px, height_px, ...rgb.subarray(0, 3), 0, 0, 0));
  }
}

export function makeFakeLanguage(overrides: Partial<Language> = {}): Language {
  const sampler = { temperature: 0, top_p: 1, presence_penalty: 0, count_penalty: 0 };
  return {
    encode: (text) => [...new TextEncoder().encode(text)].map((byte) => 2 + (byte % 62)),
    decoder: () => ({ push: (token) => `${words[token % words.length]} `, end: () => "" }),
    preamble: [2],
    tickMark: () => [],
    question: (text) => [...new TextEncoder().encode(text)].map((byte) => 2 + (byte % 62)),
    silence_token: fake_silence_token,
    stop_tokens: [fake_stop_token],
    stop_text: undefined,
    caption_sampler: sampler,
    answer_sampler: sampler,
    caption_tokens_max: 8,
    answer_tokens_max: 16,
    speak_threshold: 0.7,
    repeat_ms: limits.novelty_window_ms,
    ...overrides,
  };
}

/** Every text is tokens by its bytes; pictures come before the words of their turn. */
export function makeFakePictures(overrides: Partial<PictureLanguage> = {}): PictureLanguage {
  const { encode } = makeFakeLanguage();
  return {
    images_max: 4,
    default_question: "What is it?",
    grid: { scan: "row_major", rows: 0, columns: 0 },
    official_padding: undefined,
    parts: (turns) =>
      turns.flatMap(({ text, images }) => [...images.map((image) => ({ image })), { tokens: encode(text) }]),
    question: encode,
    closing: (ended) => ended ? [] : [4],
    ...overrides,
  };
}
