// One question and its answer: while it is being spoken, when it is done, what it is true of, what backs it.
import type { CaptionMessage } from "../../src/wire/mod.ts";
import { ask, cancelQuestion, chooseMoment, copyText } from "../actions.ts";
import { now_ms } from "../edge.ts";
import { type AskedQuestion, isOpen } from "../questions.ts";
import { clockTime } from "../time_text.ts";
import { Icon } from "./icon.tsx";

const endings: Record<string, string> = {
  deadline: "cut off: time was up",
  cancelled: "cancelled",
  failed: "failed",
};

export function AnswerCard({ question }: { question: AskedQuestion }) {
  const { answer, error, id, text } = question;
  const open = isOpen(question);
  const ending = answer && endings[answer.status];
  return (
    <article class="answer" aria-busy={open} data-phase={question.phase}>
      <h3>{question.question}</h3>
      {text !== "" && <p class="answer-text">{text}</p>}
      {open && text === "" && <p class="hint">{momentWords(question)}…</p>}
      {error && <p class="problem" role="alert">{error.message}</p>}
      {/* Read out once, when it is complete, and not word by word. */}
      <p class="visually-hidden" role="status">{question.phase === "answered" ? `Answer: ${text}` : ""}</p>
      <footer>
        {answer && <TrueOf tick={answer.tick} t_wall={answer.t_wall} />}
        {ending && <span class="tag">{ending}</span>}
        {open && (
          <button
            type="button"
            class="button small"
            disabled={question.phase === "cancelling"}
            onClick={() => cancelQuestion(id)}
          >
            {question.phase === "cancelling" ? "Cancelling…" : "Cancel"}
          </button>
        )}
        {question.phase === "failed" && (
          <button
            type="button"
            class="button small"
            onClick={() =>
              ask(question.stream, question.question, question.at === "now" ? undefined : question.at)}
          >
            Ask again
          </button>
        )}
        {answer && (
          <button
            type="button"
            class="button quiet icon-only"
            aria-label="Copy the answer"
            title="Copy"
            onClick={() => void copyText(`${question.question}\n${text}`, "Answer")}
          >
            <Icon name="copy" />
          </button>
        )}
      </footer>
      {answer?.evidence && answer.evidence.length > 0 && <Evidence captions={answer.evidence} />}
    </article>
  );
}

function momentWords({ at }: AskedQuestion): string {
  return at === "now" ? "Asking a copy of the memory" : "Taking the memory of that moment from its snapshot";
}

function TrueOf({ tick, t_wall }: { tick: number; t_wall: string }) {
  const at_ms = Date.parse(t_wall);
  return (
    <button
      type="button"
      class="true-of"
      title={`The memory of tick ${tick} answered. Show that moment`}
      onClick={() => chooseMoment(at_ms)}
    >
      true of <time dateTime={t_wall}>{clockTime(at_ms, now_ms.value)}</time>
    </button>
  );
}

function Evidence({ captions }: { captions: readonly CaptionMessage[] }) {
  return (
    <details class="evidence">
      <summary>Captions up to that moment ({captions.length})</summary>
      <ol>
        {captions.map((caption) => (
          <li key={caption.seq}>
            <button type="button" class="true-of" onClick={() => chooseMoment(Date.parse(caption.t_wall))}>
              <time dateTime={caption.t_wall}>{clockTime(Date.parse(caption.t_wall), now_ms.value)}</time>
            </button>{" "}
            {caption.text}
          </li>
        ))}
      </ol>
    </details>
  );
}
