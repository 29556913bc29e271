// Every bound of what is read from people's data files. Numbers and why; must not know anything else.

export const data_limits = {
  /** Of one object of a data file. The longest of mix665k has 100 kB; more is a broken file without ends of lines. */
  row_bytes_max: 4 << 20,
  /** Offsets and sizes of a sample are 16 bytes in memory. */
  samples_max: 1 << 26,
  /** Questions and answers of one object, before it is split. */
  turns_max: 10_000,
  /** Lines of one video. */
  video_lines_max: 100_000,
  /** Pictures of one conversation. */
  images_max: 64,
  /** Problems that are kept with their place; the others are only counted. */
  problems_listed_max: 100,
  /** Bytes that are read from a data file at once. */
  piece_bytes: 1 << 20,
  /** One picture file; the decoder's own bound is smaller. */
  picture_bytes_max: 64 << 20,
  /** Samples that are tried, one after the other, in the place of one whose picture cannot be read. */
  substitutes_max: 1_000,
  /** Samples of a batch whose pictures are read at the same time. */
  rows_at_once_max: 8,
  /** Vectors of one picture. */
  vectors_max: 16_384,
  /** Of the feature cache, on disk. */
  cache_bytes_default: 64 * 1024 ** 3,
  /** Tokens of text data in memory, 4 bytes each. */
  text_tokens_max: 1 << 29,
  /** A plain text file becomes one string while it is read. */
  text_bytes_max: 256 << 20,
} as const;
