// A question is asked of a forked state, answered by a deadline, and the fork thrown away: the narration never
// notices. Must not know where the fork came from.
import type { Clock } from "../clock.ts";
import { RequestError } from "../errors.ts";
import { limits } from "./limits.ts";
import { seedOf } from "./memory.ts";
import type { AnswerRecord, EngineState, Language } from "./ports.ts";
import { type Policy, questionWriter } from "./policy.ts";
import type { Pump } from "./pump.ts";
import { Utterance } from "./utterance.ts";

export interface QuestionInput {
  question: string;
  deadline_ms?: number;
  onText?: (text: string) => void;
  signal?: AbortSignal;
}

/** Throws RequestError question_invalid; returns the text as it will be asked. */
export function checkQuestion(input: QuestionInput): string {
  const text = input.question.trim();
  if (text === "") throw new RequestError("question_invalid", "Cannot ask: the question is empty");
  if (text.length > limits.question_chars_max) {
    throw new RequestError(
      "question_invalid",
      `Cannot ask: the question has ${text.length} characters, ${limits.question_chars_max} are allowed`,
    );
  }
  return text;
}

/** Asks `fork` and closes it, whatever happens. */
export async function answerQuestion(
  fork: EngineState,
  input: QuestionInput,
  deps: { language: Language; policy: Policy; pump: Pump; clock: Clock },
): Promise<{ text: string; status: AnswerRecord["status"] }> {
  const { language, policy, pump, clock } = deps;
  const ended = new AbortController();
  let status: AnswerRecord["status"] = "done";
  const cut = (why: AnswerRecord["status"]) => {
    if (ended.signal.aborted || status !== "done") return;
    status = why;
    fork.stop();
  };
  const cancel = () => cut("cancelled");
  try {
    fork.setSampler(language.answer_sampler);
    fork.setStops(language.stop_tokens);
    const utterance = new Utterance(language, fork);
    fork.putTokens(questionWriter(policy, language).question(checkQuestion(input)));
    fork.putDecode({ tokens_max: language.answer_tokens_max, seed: seedOf(input.question, 0) });
    const deadline_ms = Math.min(
      input.deadline_ms ?? limits.question_deadline_ms,
      limits.question_deadline_ms_max,
    );
    void clock.sleep(deadline_ms, ended.signal).then(() => cut("deadline"));
    if (input.signal?.aborted) cancel();
    input.signal?.addEventListener("abort", cancel, { once: true });
    await pump.drain(fork, (tokens) => {
      const before = utterance.text;
      utterance.push(tokens);
      if (utterance.text !== before) input.onText?.(utterance.text);
    });
    return { text: utterance.finish(), status };
  } finally {
    input.signal?.removeEventListener("abort", cancel);
    ended.abort();
    fork.close();
  }
}
