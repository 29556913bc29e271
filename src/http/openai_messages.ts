// Messages of the chat interface to what is asked: of a stream its last question, of a model the whole conversation with
// its pictures. Pictures come in the message itself, as data: URLs. Must not know routes or answers.
import { Buffer } from "node:buffer";
import { z } from "zod";
import type { DescribeRequest } from "../pipeline/surface.ts";
import { ask_schema, wire_limits } from "../wire/mod.ts";
import { HttpError } from "./http_error.ts";
import { http_limits } from "./limits.ts";
import type { Message } from "./openai_schema.ts";

const text_part = z.object({ type: z.literal("text"), text: z.string() });
/** `detail` and the like are accepted: a picture is always seen as the model was trained. */
const image_part = z.object({
  type: z.literal("image_url"),
  image_url: z.union([z.string(), z.looseObject({ url: z.string() }).transform(({ url }) => url)]),
});

type Part = { type: string };

function partsOf({ content }: Message): readonly Part[] {
  return typeof content === "string" ? [{ type: "text", text: content } as Part] : content ?? [];
}

function refuse(message: string): never {
  throw new HttpError("bad_request", message);
}

/** The last message of the user, which must be text. */
export function readQuestion(messages: readonly Message[]): string {
  const last = messages.findLast(({ role }) => role === "user");
  const texts = (last ? partsOf(last) : []).map((part) => {
    const text = text_part.safeParse(part);
    if (text.success) return text.data.text;
    return refuse(`Cannot read a part of type "${part.type}": the stream is what is seen.`);
  });
  const question = ask_schema.shape.question.safeParse(texts.join("\n"));
  if (question.success) return question.data;
  const { question_chars_max } = wire_limits;
  return refuse(`Cannot ask: the last user message must have 1 to ${question_chars_max} characters.`);
}

/** Every message as a turn. Throws HttpError bad_request or too_large. */
export function readConversation(
  messages: readonly Message[],
): Pick<DescribeRequest, "turns" | "pictures"> {
  const pictures: { name: string; bytes: Uint8Array }[] = [];
  const turns = messages.map((message) => {
    if (message.role === "tool") refuse('Cannot read a message of role "tool": this model calls none.');
    const texts: string[] = [];
    const images: number[] = [];
    for (const part of partsOf(message)) {
      const text = text_part.safeParse(part);
      const image = image_part.safeParse(part);
      if (text.success) texts.push(text.data.text);
      else if (image.success) {
        if (message.role !== "user") refuse("Cannot read a picture there: only user messages may have them.");
        const name = `picture ${pictures.length + 1}`;
        images.push(pictures.push({ name, bytes: readDataUrl(image.data.image_url, name) }) - 1);
      } else refuse(`Cannot read a part of type "${part.type}": send "text" and "image_url".`);
    }
    const role = message.role === "developer"
      ? "system" as const
      : message.role as "system" | "user" | "assistant";
    return { role, text: texts.join("\n"), images };
  });
  return { turns, pictures };
}

/** Only what is in the message: fetching an address for a stranger would open this machine's network to him. */
function readDataUrl(url: string, name: string): Uint8Array {
  const found = /^data:([^,;]{0,100})((?:;[^,;]{0,100}){0,4}),/i.exec(url);
  if (!found) {
    const scheme = /^[a-z][a-z0-9+.-]{0,20}:/i.exec(url)?.[0] ?? "this";
    return refuse(
      `Cannot fetch ${name}: "${scheme}" addresses are not opened; send the picture as a data: URL.`,
    );
  }
  if (!/;base64$/i.test(found[2]!)) refuse(`Cannot read ${name}: its data: URL must be ;base64.`);
  const text = url.slice(found[0].length, url.length - (/={0,2}$/.exec(url.slice(-2))?.[0].length ?? 0));
  const { picture_bytes_max } = http_limits;
  if (text.length * 3 / 4 > picture_bytes_max) {
    throw new HttpError(
      "too_large",
      `Cannot read ${name}: it has more than ${picture_bytes_max} bytes.`,
    );
  }
  if (text.length % 4 === 1 || !/^[A-Za-z0-9+/_-]+$/.test(text)) {
    refuse(`Cannot read ${name}: it is not base64.`);
  }
  return new Uint8Array(Buffer.from(text, "base64"));
}
