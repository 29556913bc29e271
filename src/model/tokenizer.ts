// Text to tokens and back with a World vocabulary: at each byte the longest token wins. No normalisation, no
// special tokens. Must not know prompts, models or where the file lies.
import { ByteTrie } from "./byte_trie.ts";
import { ModelError } from "./errors.ts";
import { StreamDecoder } from "./token_decoder.ts";
import { parseVocabulary, tokenizerError, type Vocabulary } from "./vocabulary.ts";

const utf8_encoder = new TextEncoder();
const no_bytes = new Uint8Array(0);

export class Tokenizer {
  readonly #vocabulary: Vocabulary;
  readonly #trie: ByteTrie;

  private constructor(vocabulary: Vocabulary, trie: ByteTrie) {
    this.#vocabulary = vocabulary;
    this.#trie = trie;
  }

  /**
   * Reads the bytes of a tokenizer file; `path` is only for messages. The World file takes about 0.1 s.
   * Throws ModelError `tokenizer_invalid` with a line number. Every single byte must be a token, so that every
   * text has an encoding.
   */
  static parse(file: Uint8Array, path: string): Tokenizer {
    const vocabulary = parseVocabulary(file, path);
    if (vocabulary.bytes.length >= 1 << 23) {
      throw new ModelError(
        "tokenizer_invalid",
        `Cannot read tokenizer "${path}": its tokens have over 8 MiB`,
      );
    }
    const trie = new ByteTrie(vocabulary.bytes.length);
    for (let index = 0; index < vocabulary.ids.length; index++) {
      const id = vocabulary.ids[index];
      const bytes = vocabulary.bytes.subarray(vocabulary.starts[id], vocabulary.ends[id]);
      if (!trie.insert(bytes, id)) {
        throw tokenizerError(path, index + 1, `the bytes of id ${id} have an id already`);
      }
    }
    for (let byte = 0; byte < 256; byte++) {
      if (trie.longest(Uint8Array.of(byte), 0) !== 0) continue;
      const name = `0x${byte.toString(16).padStart(2, "0")}`;
      throw new ModelError(
        "tokenizer_invalid",
        `Cannot read tokenizer "${path}": no token for the byte ${name}`,
      );
    }
    return new Tokenizer(vocabulary, trie);
  }

  /** Tokens in the file. */
  get token_count(): number {
    return this.#vocabulary.ids.length;
  }

  /** Largest id that text can become. */
  get id_max(): number {
    return this.#vocabulary.id_max;
  }

  /** Lone surrogates have no UTF-8 and become U+FFFD, as everywhere on the web. */
  encode(text: string): number[] {
    return this.encodeBytes(utf8_encoder.encode(text));
  }

  encodeBytes(bytes: Uint8Array): number[] {
    const { starts, ends } = this.#vocabulary;
    const tokens: number[] = [];
    let index = 0;
    while (index < bytes.length) {
      const id = this.#trie.longest(bytes, index);
      tokens.push(id);
      index += ends[id] - starts[id];
    }
    return tokens;
  }

  /** The bytes of a token; none for an id without text. A view: do not write. */
  tokenBytes(token: number): Uint8Array {
    const { bytes, starts, ends, id_max } = this.#vocabulary;
    return token >= 1 && token <= id_max ? bytes.subarray(starts[token], ends[token]) : no_bytes;
  }

  decodeBytes(tokens: readonly number[]): Uint8Array {
    const pieces = tokens.map((token) => this.tokenBytes(token));
    const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
    let end = 0;
    for (const piece of pieces) {
      whole.set(piece, end);
      end += piece.length;
    }
    return whole;
  }

  /** Bytes that are not UTF-8 become U+FFFD. */
  decode(tokens: readonly number[]): string {
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(this.decodeBytes(tokens));
  }

  /** For one utterance, token by token. */
  decoder(): StreamDecoder {
    return new StreamDecoder((token) => this.tokenBytes(token));
  }
}
