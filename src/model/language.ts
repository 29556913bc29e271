// A bundle's words: what is fed before a tick and around a question, and how an utterance is cut. Satisfies the
// pipeline's `Language` without importing it, and carries its `PictureLanguage`. Must not know streams or engines.
import type { Bundle } from "./bundle.ts";
import { reason } from "./bundle_files.ts";
import { ModelError } from "./errors.ts";
import { ImagePrompt } from "./image_prompt.ts";
import type { Manifest } from "./manifest.ts";
import { cleanQuestion, fillMark, fillQuestion } from "./prompt.ts";
import { end_of_document } from "./stop_rule.ts";
import type { StreamDecoder } from "./token_decoder.ts";
import { Tokenizer } from "./tokenizer.ts";

type Sampler = Manifest["answer"]["sampler"];

export class BundleLanguage {
  readonly tokenizer: Tokenizer;
  readonly preamble: readonly number[];
  readonly silence_token: number;
  readonly stop_tokens: readonly number[];
  readonly stop_text: string | undefined;
  readonly caption_sampler: Sampler;
  readonly answer_sampler: Sampler;
  readonly caption_tokens_max: number;
  readonly answer_tokens_max: number;
  readonly speak_threshold: number;
  readonly repeat_ms: number;
  /** How it is asked about pictures; without training on them, a text chat. */
  readonly pictures: ImagePrompt;
  readonly #mark: string;
  readonly #question_template: string;

  constructor(manifest: Manifest, tokenizer: Tokenizer) {
    this.tokenizer = tokenizer;
    this.preamble = tokenizer.encode(manifest.prompt.preamble);
    this.silence_token = manifest.silence_token;
    this.stop_tokens = [...new Set([end_of_document, ...manifest.stop.tokens])];
    this.stop_text = manifest.stop.text ?? undefined;
    this.caption_sampler = manifest.caption.sampler;
    this.answer_sampler = manifest.answer.sampler;
    this.caption_tokens_max = manifest.caption.tokens_max;
    this.answer_tokens_max = manifest.answer.tokens_max;
    this.speak_threshold = manifest.caption.speak_threshold;
    this.repeat_ms = manifest.caption.repeat_s * 1000;
    this.pictures = new ImagePrompt(manifest, (text) => tokenizer.encode(text));
    this.#mark = manifest.tick.mark;
    this.#question_template = manifest.prompt.question;
  }

  encode(text: string): number[] {
    return this.tokenizer.encode(text);
  }

  decoder(): StreamDecoder {
    return this.tokenizer.decoder();
  }

  /** Empty when the model was taught no time marks. */
  tickMark(t_media_ms: number): readonly number[] {
    return this.#mark === "none" ? [] : this.tokenizer.encode(fillMark(this.#mark, t_media_ms));
  }

  /** For policy "stream". The text is cleaned first, so that it cannot end the turn it stands in. */
  question(text: string): readonly number[] {
    return this.tokenizer.encode(fillQuestion(this.#question_template, cleanQuestion(text, this.stop_text)));
  }
}

/** Reads the tokenizer. Throws ModelError `bundle_missing` when there is none, `tokenizer_invalid`, also when it has ids the model has no row for. */
export async function openLanguage({ manifest, tokenizer_path }: Bundle): Promise<BundleLanguage> {
  if (tokenizer_path === undefined) {
    throw new ModelError(
      "bundle_missing",
      `Cannot speak with bundle "${manifest.name}": it has no vocabulary; import it again with --tokenizer FILE`,
    );
  }
  let file: Uint8Array;
  try {
    file = await Deno.readFile(tokenizer_path);
  } catch (cause) {
    throw new ModelError("bundle_missing", `Cannot read tokenizer "${tokenizer_path}": ${reason(cause)}`, {
      cause,
    });
  }
  const tokenizer = Tokenizer.parse(file, tokenizer_path);
  if (tokenizer.id_max >= manifest.rwkv.vocab) {
    throw new ModelError(
      "tokenizer_invalid",
      `Cannot use tokenizer "${tokenizer_path}": id ${tokenizer.id_max} is not below rwkv.vocab ${manifest.rwkv.vocab}`,
    );
  }
  return new BundleLanguage(manifest, tokenizer);
}
