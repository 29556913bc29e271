// One caption: when, what, and the two things to do with it.
import type { CaptionMessage } from "../../src/wire/mod.ts";
import { chooseMoment, copyText } from "../actions.ts";
import { now_ms } from "../edge.ts";
import { moment_ms } from "../moment.ts";
import { clockTime, relativeTime } from "../time_text.ts";
import { focusQuestion } from "./ask_box.tsx";
import { Icon } from "./icon.tsx";

export interface CaptionRowProps {
  caption: CaptionMessage;
  /** Words to mark in the text. */
  marked?: string;
}

export function CaptionRow({ caption, marked }: CaptionRowProps) {
  const at_ms = Date.parse(caption.t_wall);
  const clock = clockTime(at_ms, now_ms.value);
  const askAbout = () => {
    chooseMoment(at_ms);
    focusQuestion();
  };
  return (
    <article class="caption" data-seq={caption.seq} data-chosen={moment_ms.value === at_ms || undefined}>
      <p class="caption-time">
        <time dateTime={caption.t_wall}>{clock}</time>
        {/* Hidden from screen readers, or every second would be read out. */}
        <span aria-hidden="true">{relativeTime(at_ms, now_ms.value)}</span>
      </p>
      <p class="caption-text">{marked ? <Marked text={caption.text} words={marked} /> : caption.text}</p>
      <div class="caption-actions">
        <button
          type="button"
          class="button quiet icon-only"
          title="Ask about this moment"
          aria-label={`Ask about ${clock}`}
          onClick={askAbout}
        >
          <Icon name="ask" />
        </button>
        <button
          type="button"
          class="button quiet icon-only"
          title="Copy"
          aria-label={`Copy the caption of ${clock}`}
          onClick={() => void copyText(`${caption.t_wall} ${caption.text}`, "Caption")}
        >
          <Icon name="copy" />
        </button>
      </div>
    </article>
  );
}

function Marked({ text, words }: { text: string; words: string }) {
  const wanted = words.trim().split(/\s+/).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const parts = text.split(new RegExp(`(${wanted.join("|")})`, "gi"));
  return <>{parts.map((part, index) => index % 2 === 1 ? <mark key={index}>{part}</mark> : part)}</>;
}
