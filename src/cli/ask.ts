// gander ask STREAM QUESTION: asks a running service, now or about the past.
import { answer_schema, api_prefix, error_body_schema } from "../wire/mod.ts";
import { loadConfig } from "../compose.ts";
import { readArguments, UsageError } from "./arguments.ts";
import type { Commands } from "./commands.ts";

export const ask_help = `gander ask STREAM QUESTION [options]

  --at MOMENT      now (default), an RFC 3339 time, tick:N, or media:MILLISECONDS
  --server URL     the service; default: the configured host and port (http://127.0.0.1:8088)
  --token TOKEN    when the service wants one; all options of "gander config print" that name it work too
  --json           the whole answer as JSON
`;

export const ask: Commands["ask"] = async (words, io) => {
  const args = readArguments(words, { at: "string", server: "string", json: "boolean" });
  const [stream, ...question] = args.positionals;
  if (!stream || question.length === 0) throw new UsageError("ask takes STREAM and QUESTION");
  const { host, port, token } = loadConfig(args.config_file, args.config);
  const server = String(args.own.server ?? `http://${host.includes(":") ? `[${host}]` : host}:${port}`)
    .replace(/\/+$/, "");
  let response: Response;
  try {
    response = await fetch(`${server}${api_prefix}/streams/${encodeURIComponent(stream)}/ask`, {
      method: "POST",
      headers: { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify({ question: question.join(" "), at: args.own.at ?? "now" }),
      signal: io.stop,
    });
  } catch (error) {
    io.err(`gander: Cannot reach ${server}: ${(error as Error).message}. Is "gander serve" running?\n`);
    return 1;
  }
  const body: unknown = await response.json().catch(() => undefined);
  const failed = error_body_schema.safeParse(body);
  if (!response.ok || failed.success) {
    io.err(
      `gander: ${failed.success ? failed.data.error.message : `the service answered ${response.status}`}\n`,
    );
    return 1;
  }
  const answer = answer_schema.parse(body);
  if (args.own.json) io.out(`${JSON.stringify(answer)}\n`);
  else io.out(`${answer.answer}\n`);
  if (answer.status !== "done") io.err(`gander: the answer is not whole: ${answer.status}\n`);
  return 0;
};
