// All streams, each with its state in words and what it said last.
import { computed } from "@preact/signals";
import type { StreamView } from "../../src/wire/mod.ts";
import { now_ms, route, state, streams } from "../edge.ts";
import { statusLine, streamStatus } from "../status_words.ts";
import { relativeTime } from "../time_text.ts";
import { AddButtons } from "./add_buttons.tsx";
import { StreamActions } from "./stream_actions.tsx";

/** The newest caption by stream; other news of the state does not draw the list anew. */
const last_captions = computed(() => {
  const entries = Object.entries(state.value.feeds).map(([id, feed]) => [id, feed.captions.at(-1)] as const);
  return new Map(entries);
});

export function StreamList() {
  const list = streams.value ?? [];
  return (
    <nav class="stream-list" aria-label="Streams">
      <div class="panel-head">
        <h2>Streams</h2>
        <span class="count">{streams.value === undefined ? "" : list.length}</span>
      </div>
      <ul>{list.map((stream) => <StreamRow key={stream.id} stream={stream} />)}</ul>
      {/* Without a stream the two first actions stand in the middle of the page. */}
      {streams.value?.length === 0 ? <p class="hint">None yet.</p> : <AddButtons />}
    </nav>
  );
}

function StreamRow({ stream }: { stream: StreamView }) {
  const caption = last_captions.value.get(stream.id);
  const current = route.value.stream === stream.id;
  const { tone } = streamStatus(stream);
  return (
    <li class="stream-row" data-current={current || undefined}>
      <a href={`#/stream/${stream.id}`} aria-current={current ? "page" : undefined}>
        <span class="stream-name">
          <span class={`dot ${tone}`} aria-hidden="true" />
          <b>{stream.name}</b>
        </span>
        <span class={`stream-status ${tone}`}>{statusLine(stream, now_ms.value)}</span>
        {caption && (
          <span class="stream-last">
            {caption.text}{" "}
            <time dateTime={caption.t_wall}>{relativeTime(Date.parse(caption.t_wall), now_ms.value)}</time>
          </span>
        )}
      </a>
      <StreamActions stream={stream} />
    </li>
  );
}
