// Captions of the whole log that contain the words, newest first. The server searches; this shows.
import { useEffect, useState } from "preact/hooks";
import type { CaptionMessage } from "../../src/wire/mod.ts";
import { api } from "../api.ts";
import { errorText } from "../toasts.ts";
import { CaptionRow } from "./caption_row.tsx";

const typing_ms = 250;
const found_max = 100;

export function CaptionSearch({ stream, query }: { stream: string; query: string }) {
  const [found, setFound] = useState<readonly CaptionMessage[]>();
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    let current = true;
    const timer = setTimeout(async () => {
      try {
        const list = await api.captions(stream, { q: query.trim(), order: "newest", limit: found_max });
        if (!current) return;
        setFound(list.captions);
        setProblem(undefined);
      } catch (error) {
        if (current) setProblem(errorText(error));
      }
    }, typing_ms);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [stream, query]);
  return (
    <div class="log-frame">
      <div class="log" role="region" aria-label="Captions found" tabIndex={0}>
        <p class="hint" role="status">{problem ?? foundWords(found)}</p>
        {found?.map((caption) => <CaptionRow key={caption.seq} caption={caption} marked={query} />)}
      </div>
    </div>
  );
}

function foundWords(found: readonly CaptionMessage[] | undefined): string {
  if (!found) return "Searching…";
  if (found.length === 0) return "No caption has these words.";
  if (found.length === found_max) return `The newest ${found_max} captions with these words`;
  return `${found.length} ${found.length === 1 ? "caption" : "captions"} with these words`;
}
