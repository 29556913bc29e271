// The captions of a stream as a log that can be held, searched and read back to the beginning.
import { useState } from "preact/hooks";
import type { StreamView } from "../../src/wire/mod.ts";
import { type ExportFormat, exportUrl } from "../api.ts";
import { feed } from "../edge.ts";
import { CaptionLog, type Hold } from "./caption_log.tsx";
import { CaptionSearch } from "./caption_search.tsx";
import { Icon } from "./icon.tsx";

export function CaptionFeed({ stream }: { stream: StreamView }) {
  const [hold, setHold] = useState<Hold>();
  const [query, setQuery] = useState("");
  const searching = query.trim() !== "";
  const newest_seq = feed.value.captions.at(-1)?.seq ?? 0;
  const toggle = () => setHold(hold ? undefined : { seq: newest_seq, by: "button" });
  return (
    <section class="panel caption-feed" aria-labelledby="captions-title">
      <header class="panel-head">
        <h2 id="captions-title">Captions</h2>
        <button type="button" class="button small" aria-pressed={hold !== undefined} onClick={toggle}>
          <Icon name={hold ? "play" : "pause"} />
          {hold ? "Resume" : "Pause"}
        </button>
        <ExportMenu stream={stream.id} />
      </header>
      <label class="search">
        <span class="visually-hidden">Search captions</span>
        <Icon name="search" />
        <input
          type="search"
          placeholder="Search captions"
          maxLength={200}
          value={query}
          onInput={(event) => setQuery(event.currentTarget.value)}
        />
      </label>
      {searching
        ? <CaptionSearch stream={stream.id} query={query} />
        : <CaptionLog stream={stream.id} hold={hold} onHold={setHold} />}
    </section>
  );
}

const export_names: Record<ExportFormat, string> = {
  vtt: "WebVTT",
  srt: "SubRip (SRT)",
  jsonl: "JSON lines",
};

function ExportMenu({ stream }: { stream: string }) {
  return (
    <details class="menu">
      <summary class="button small">
        <Icon name="down" />
        Export
      </summary>
      <ul>
        {(Object.keys(export_names) as ExportFormat[]).map((format) => (
          <li key={format}>
            <a href={exportUrl(stream, format)} download={`${stream}.${format}`}>{export_names[format]}</a>
          </li>
        ))}
      </ul>
    </details>
  );
}
