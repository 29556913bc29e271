// Asks a question about now or about the chosen moment, and keeps what was answered.
import { useEffect, useRef, useState } from "preact/hooks";
import { computed } from "@preact/signals";
import { type StreamView, wire_limits } from "../../src/wire/mod.ts";
import { ask, chooseMoment, snapshots } from "../actions.ts";
import { now_ms, phase, route, state } from "../edge.ts";
import { moment_ms } from "../moment.ts";
import { clockTime, relativeTime } from "../time_text.ts";
import { snapshotFor } from "../timeline_scale.ts";
import { AnswerCard } from "./answer_card.tsx";
import { Icon } from "./icon.tsx";

const input_id = "question";
const suggestions = ["What is happening?", "What changed?", "What have you seen so far?"];
const asked_here = computed(() =>
  state.value.questions.filter((question) => question.stream === route.value.stream)
);

export function focusQuestion(): void {
  document.getElementById(input_id)?.focus();
}

export function AskBox({ stream }: { stream: StreamView }) {
  const [text, setText] = useState("");
  const list = useRef<HTMLDivElement>(null);
  const asked = asked_here.value;
  const newest = asked.at(-1);
  useEffect(() => {
    if (list.current && newest) list.current.scrollTop = list.current.scrollHeight;
  }, [newest?.id, newest?.text, newest?.phase]);
  const submit = (question: string) => {
    const at = moment_ms.value === undefined ? undefined : new Date(moment_ms.value).toISOString();
    if (question.trim() !== "" && ask(stream.id, question.trim(), at)) setText("");
  };
  return (
    <section class="panel ask-box" aria-labelledby="ask-title">
      <header class="panel-head">
        <h2 id="ask-title">Ask</h2>
        <MomentChip stream={stream.id} />
      </header>
      <div class="answers" ref={list} tabIndex={0} role="region" aria-label="Answers">
        {asked.length === 0 && (
          <div class="suggestions">
            <p class="hint">A question is answered by a copy of the memory; the stream does not notice it.</p>
            {suggestions.map((suggestion) => (
              <button
                key={suggestion}
                type="button"
                class="button small"
                onClick={() => submit(suggestion)}
              >
                {suggestion}
              </button>
            ))}
          </div>
        )}
        {asked.map((question) => <AnswerCard key={question.id} question={question} />)}
      </div>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          submit(text);
        }}
      >
        <label class="visually-hidden" for={input_id}>Question</label>
        <textarea
          id={input_id}
          rows={1}
          maxLength={wire_limits.question_chars_max}
          placeholder={moment_ms.value === undefined ? "Ask about now" : "Ask about that moment"}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
            event.preventDefault();
            submit(text);
          }}
        />
        <button
          type="submit"
          class="button primary"
          disabled={text.trim() === "" || phase.value.kind !== "open"}
        >
          Ask
        </button>
      </form>
    </section>
  );
}

function MomentChip({ stream }: { stream: string }) {
  const at_ms = moment_ms.value;
  if (at_ms === undefined) return <span class="chip">about now</span>;
  const known = snapshots.value[stream];
  const from = known && snapshotFor(known, at_ms);
  const title = from
    ? `Answered from the memory of ${clockTime(Date.parse(from.t_wall), now_ms.value)}, tick ${from.tick}`
    : known && "No snapshot of the memory is that old";
  return (
    <span class={known && !from ? "chip chosen bad" : "chip chosen"} title={title}>
      <Icon name="clock" />
      {clockTime(at_ms, now_ms.value)} <small>{relativeTime(at_ms, now_ms.value)}</small>
      <button type="button" aria-label="Ask about now instead" onClick={() => chooseMoment(undefined)}>
        <Icon name="close" />
      </button>
    </span>
  );
}
