// The schema of manifest.json: every field, its unit and its bound. Must not know files or engines.
// Unknown keys are refused: a misspelt setting must not be ignored in silence.
import { z } from "zod";

/** Relative, `/` between names, no `.` or `..`, nothing a shell or Windows would read differently. */
export function isInsidePath(path: string): boolean {
  // deno-lint-ignore no-control-regex
  if (path.length === 0 || path.length > 255 || /[\\:\u0000-\u001f\u007f]/.test(path)) return false;
  return path.split("/").every((segment) => segment !== "" && segment !== "." && segment !== "..");
}

const inside_path = z.string().refine(isInsidePath, "must be a relative path inside the bundle");
const count = (max: number) => z.int().min(1).max(max);
const token = z.int().min(0).max((1 << 20) - 1);

const sampler = z.strictObject({
  /** 0 is greedy. */
  temperature: z.number().min(0).max(10),
  top_p: z.number().gt(0).max(1),
  presence_penalty: z.number().min(-100).max(100),
  count_penalty: z.number().min(-100).max(100),
});

/** What released World chat models are sampled with. */
const default_sampler = { temperature: 0.8, top_p: 0.5, presence_penalty: 0.3, count_penalty: 0.3 };

const source = z.strictObject({
  path: inside_path,
  sha256: z.string().regex(/^[0-9a-f]{64}$/, "must be 64 lowercase hex digits"),
  bytes: z.int().min(0).max(Number.MAX_SAFE_INTEGER),
  /** Where the file came from: an address, a conversion, a seed. */
  origin: z.string().max(500),
});

const rwkv = z.strictObject({
  file: inside_path.refine((path) => path.endsWith(".safetensors"), "must be a .safetensors file"),
  /** RWKV generation. */
  version: z.literal([7, 6, 5]),
  layers: count(1024),
  /** D: floats in one vector. */
  width: count(65_536).refine((width) => width % 64 === 0, "must be a multiple of 64"),
  vocab: z.int().min(2).max(1 << 20),
  head_size: z.literal(64).default(64),
});

const vision_input = z.strictObject({
  /** Name of the graph's input: uint8 [N * views, height, width, 3]. */
  name: z.string().min(1).max(100),
  width_px: count(4096),
  height_px: count(4096),
});

const vision = z.strictObject({
  file: inside_path,
  /** Size of the frames a source is asked for. */
  width_px: count(4096),
  height_px: count(4096),
  /** K: vectors of one frame; with `tiling`, of one tile; with `compressor`, what it leaves of a picture. */
  vectors_per_frame: count(16_384),
  /** A picture of another shape: both sides resized, or the shorter side resized and the middle cut out. */
  fit: z.literal(["stretch", "crop"]).default("stretch"),
  /** Pillow's filters, bit for bit. */
  filter: z.literal(["bicubic", "bilinear", "lanczos"]).default("bicubic"),
  /** Inputs of the graph; each takes the picture resized to its own size. Empty: one, "rgb", of the frame's size. */
  inputs: z.array(vision_input).max(8).default([]),
  /**
   * What of a picture goes in: itself; itself and its four quarters (UHD), in this order; or the frame one tick before and
   * itself, in this order, twice itself where there is none.
   */
  views: z.literal(["whole", "whole_and_quarters", "before_and_now"]).default("whole"),
  /** A picture becomes several of the graph's size, row by row (v7.02 and later). */
  tiling: z.strictObject({
    /** v7.02 takes the grid that wastes least, v7.03 and v7.04 "closest". */
    criterion: z.literal(["waste", "closest"]),
    /** More are not made: the picture is made smaller. */
    tiles_max: count(64),
    /** v7.04: always this many tiles. */
    tiles_fixed: count(64).nullable().default(null),
  }).nullable().default(null),
  /** RWKV-7 blocks that shorten the vectors of a picture (v7.03, v7.04). */
  compressor: z.strictObject({
    file: inside_path,
    layers: count(64),
    /** Zero vectors are put in front up to a multiple of this. */
    padding: count(64).default(16),
  }).nullable().default(null),
});

/** Orders in which layers may see the patches of a picture. */
export const scan_modes = [
  "row_major",
  "bidirection",
  "multidirection",
  "spiral",
  "snake",
  "zigzag",
] as const;

/** How a picture and a question become one sequence, as the model was trained. */
const image = z.strictObject({
  /** first: picture, question. middle: question, picture, question. last: question, picture. many: pictures, question. */
  position: z.literal(["first", "middle", "last", "many"]),
  /**
   * Before the picture of position "middle": conversation, all that the user says (v6.0 and later); question, what is
   * asked of the picture once more (v5.0).
   */
  foreword: z.literal(["conversation", "question"]).default("conversation"),
  /** Pictures of one question. */
  images_max: count(64),
  /** Order in which layers see the patches. */
  scan: z.literal(scan_modes).default("row_major"),
  /** The patch grid that `scan` orders; vectors beyond it follow as they are. 0 x 0 where scan is row_major. */
  scan_rows: z.int().min(0).max(4096).default(0),
  scan_columns: z.int().min(0).max(4096).default(0),
  /** What is asked when nobody asks. */
  question: z.string().min(1).max(2_000).default("Describe the image."),
  /** Token behind every picture, and token behind every turn without one (v7.01 with contrastive alignment). */
  picture_end: token.nullable().default(null),
  turn_end: token.nullable().default(null),
  /** The official evaluator of v7 pads on the left with this token to a multiple: for bit parity only. */
  official_padding: z.strictObject({ token, multiple: count(64) }).nullable().default(null),
});

/** Policy "refresh": the state is rebuilt from a summary and the newest frames, because endless frames were never trained. */
const refresh = z.strictObject({
  /** Rebuilt at least this often. */
  every_s: z.number().min(1).max(3_600).default(30),
  /** A caption at most this often … */
  cadence_s: z.number().min(0.1).max(3_600).default(4),
  /** … and, while the picture changes by less than this share of its brightness range, not at all. */
  change_min: z.number().min(0).max(1).default(0.02),
  /** Newest frames that are fed. */
  frames: count(64).default(1),
  /** What is asked of each picture; {language} and {summary} are filled in. */
  instruction: z.string().min(1).max(2_000).default(
    "Say in one short sentence what is happening in the image.{summary}",
  ),
});

const tick = z.strictObject({
  /** Ticks per second the model was made for. */
  rate_hz: z.number().min(0.05).max(10),
  /** "none", or text fed before the vectors of a tick, with {seconds} or {clock} in it. */
  mark: z.string().max(200).refine(
    isMark,
    'must be "none" or text with {seconds} or {clock} and no other {…}',
  ),
});

const prompt = z.strictObject({
  /** Fed to a fresh state before the first tick. */
  preamble: z.string().max(100_000),
  /** Text around a question to a stream of policy "stream"; decoding starts behind it. */
  question: z.string().max(100_000).refine(
    (template) => template.split("{question}").length === 2,
    "must contain {question} exactly once",
  ),
});

const stop = z.strictObject({
  /** Token 0 is always a stop and need not be listed. The engine takes 64 in all. */
  tokens: z.array(token).max(63),
  text: z.string().max(100).refine((text) => text !== "" && text !== " ", "must not be empty or one blank")
    .nullable(),
});

const decoding = { tokens_max: count(4096), sampler: sampler.default(default_sampler) };
const answer = z.strictObject(decoding);
const caption = z.strictObject({
  ...decoding,
  speak_threshold: z.number().min(0).max(1),
  /** A caption like one of so few seconds before is held back. A model trained on ticks may rightly say a thing twice. */
  repeat_s: z.number().min(0).max(3_600).default(30),
});

export const manifest_schema = z.strictObject({
  format: z.literal("gander-bundle"),
  format_version: z.literal(1),
  name: z.string().regex(
    /^[A-Za-z0-9][A-Za-z0-9._ -]{0,79}$/,
    "must be 1 to 80 letters, digits, blanks, . _ -",
  ),
  /** SPDX expression, or the name of the licence. */
  licence: z.string().min(1).max(200),
  description: z.string().max(2_000).default(""),
  /** False makes every screen say that the weights are random. */
  trained: z.boolean(),
  /** BCP 47 tags the model speaks. */
  languages: z.array(z.string().regex(/^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/, "must be a language tag"))
    .default(["en"]),
  sources: z.array(source).min(1).max(64),
  rwkv,
  /** null: a text-only bundle, which can be asked but cannot watch. */
  vision: vision.nullable().default(null),
  /** null: nobody brought a vocabulary. Logits and states work; nothing can be asked or said. */
  tokenizer: z.strictObject({ file: inside_path }).nullable(),
  tick: tick.default({ rate_hz: 2, mark: "none" }),
  prompt: prompt.default({ preamble: "", question: "User: {question}\n\nAssistant:" }),
  stop: stop.default({ tokens: [], text: "\n\n" }),
  /** P(speak) is 1 - P(this token). */
  silence_token: token.default(0),
  policy: z.literal(["stream", "refresh"]).default("stream"),
  /** Settings of policy "refresh"; a stream may change them. */
  refresh: refresh.prefault({}),
  /** null: the model was not trained on questions about single pictures. */
  image: image.nullable().default(null),
  caption: caption.prefault({ tokens_max: 32, speak_threshold: 0.5 }),
  answer: answer.default({ tokens_max: 200, sampler: default_sampler }),
  /** What the model cannot see, for the people who rely on it. */
  limits_note: z.string().max(2_000).default(""),
});

export type Manifest = z.output<typeof manifest_schema>;
/** What a writer has to give: fields with a default may be left out. */
export type ManifestInput = z.input<typeof manifest_schema>;

function isMark(mark: string): boolean {
  if (mark === "none") return true;
  const names = mark.match(/\{[^{}]*\}/g) ?? [];
  return names.length > 0 && names.every((name) => name === "{seconds}" || name === "{clock}");
}

/** The manifest, or every problem as `sources[0].path: must be …`. Relations are checked once the shapes are right. */
export function readManifest(value: unknown): { manifest: Manifest } | { problems: string[] } {
  const result = manifest_schema.safeParse(value);
  if (!result.success) return { problems: result.error.issues.flatMap(describeIssue) };
  const problems = findContradictions(result.data);
  return problems.length > 0 ? { problems } : { manifest: result.data };
}

function describeIssue(issue: z.core.$ZodIssue): string[] {
  const path = issue.path.reduce<string>(
    (text, key) =>
      typeof key === "number" ? `${text}[${key}]` : text === "" ? String(key) : `${text}.${String(key)}`,
    "",
  );
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => `${path === "" ? key : `${path}.${key}`}: unknown key`);
  }
  return [`${path === "" ? "manifest" : path}: ${issue.message}`];
}

function findContradictions(manifest: Manifest): string[] {
  const problems: string[] = [];
  const listed = new Set<string>();
  for (const [index, { path }] of manifest.sources.entries()) {
    if (listed.has(path)) problems.push(`sources[${index}].path: "${path}" is listed twice`);
    listed.add(path);
  }
  if (manifest.policy === "refresh" && manifest.image === null) {
    problems.push('image: must say how a picture is asked about, because policy is "refresh"');
  }
  const files = {
    rwkv: manifest.rwkv.file,
    vision: manifest.vision?.file,
    compressor: manifest.vision?.compressor?.file,
    tokenizer: manifest.tokenizer?.file,
  };
  for (const [part, path] of Object.entries(files)) {
    if (path !== undefined && !listed.has(path)) {
      problems.push(`${part}.file: "${path}" is not among the sources`);
    }
  }
  if (manifest.image && !manifest.vision) problems.push("image: there is no vision to see one with");
  const tokens: [string, number][] = [["silence_token", manifest.silence_token]];
  for (const key of ["picture_end", "turn_end"] as const) {
    const id = manifest.image?.[key] ?? null;
    if (id !== null) tokens.push([`image.${key}`, id]);
  }
  const padding = manifest.image?.official_padding ?? null;
  if (padding !== null) tokens.push(["image.official_padding.token", padding.token]);
  manifest.stop.tokens.forEach((id, index) => tokens.push([`stop.tokens[${index}]`, id]));
  for (const [path, id] of tokens) {
    if (id >= manifest.rwkv.vocab) {
      problems.push(`${path}: ${id} is not below rwkv.vocab ${manifest.rwkv.vocab}`);
    }
  }
  return problems;
}
