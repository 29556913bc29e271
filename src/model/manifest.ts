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
  version: z.literal([7, 6]),
  layers: count(1024),
  /** D: floats in one vector. */
  width: count(65_536).refine((width) => width % 64 === 0, "must be a multiple of 64"),
  vocab: z.int().min(2).max(1 << 20),
  head_size: z.literal(64).default(64),
});

const vision = z.strictObject({
  file: inside_path,
  width_px: count(4096),
  height_px: count(4096),
  /** K: vectors of one frame. */
  vectors_per_frame: count(4096),
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
  /** Text around a question; decoding starts behind it. */
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
const caption = z.strictObject({ ...decoding, speak_threshold: z.number().min(0).max(1) });

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
  tokenizer: z.strictObject({ file: inside_path }),
  tick: tick.default({ rate_hz: 2, mark: "none" }),
  prompt: prompt.default({ preamble: "", question: "User: {question}\n\nAssistant:" }),
  stop: stop.default({ tokens: [], text: "\n\n" }),
  /** P(speak) is 1 - P(this token). */
  silence_token: token.default(0),
  policy: z.literal(["stream", "refresh"]).default("stream"),
  caption: caption.default({ tokens_max: 32, sampler: default_sampler, speak_threshold: 0.5 }),
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
  const files = {
    rwkv: manifest.rwkv.file,
    vision: manifest.vision?.file,
    tokenizer: manifest.tokenizer.file,
  };
  for (const [part, path] of Object.entries(files)) {
    if (path !== undefined && !listed.has(path)) {
      problems.push(`${part}.file: "${path}" is not among the sources`);
    }
  }
  const tokens: [string, number][] = [["silence_token", manifest.silence_token]];
  manifest.stop.tokens.forEach((id, index) => tokens.push([`stop.tokens[${index}]`, id]));
  for (const [path, id] of tokens) {
    if (id >= manifest.rwkv.vocab) {
      problems.push(`${path}: ${id} is not below rwkv.vocab ${manifest.rwkv.vocab}`);
    }
  }
  return problems;
}
