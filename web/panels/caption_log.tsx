// The live list: follows the newest caption, holds still when told to or when a person scrolls back, and never has
// more than rows_max rows in the page.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { loadOlder } from "../actions.ts";
import { feed } from "../edge.ts";
import { CaptionRow } from "./caption_row.tsx";

/** The list stays at this caption; by scroll it ends at the bottom again, by button it does not. */
export interface Hold {
  seq: number;
  by: "button" | "scroll";
}

const rows_live = 120;
const rows_step = 100;
const rows_max = 620;
/** Further than this from the bottom means: a person is reading. */
const near_px = 48;

export interface CaptionLogProps {
  stream: string;
  hold: Hold | undefined;
  onHold(hold: Hold | undefined): void;
}

export function CaptionLog({ stream, hold, onHold }: CaptionLogProps) {
  const box = useRef<HTMLDivElement>(null);
  const height_before = useRef<number | undefined>(undefined);
  const [row_count, setRowCount] = useState(rows_live);
  const [more, setMore] = useState(true);
  const { captions, speaking } = feed.value;
  const hold_now = useRef(hold);
  hold_now.current = hold;
  const held = hold ? captions.filter((caption) => caption.seq <= hold.seq) : captions;
  const rows = held.slice(-row_count);
  const waiting_count = captions.length - held.length;

  useLayoutEffect(() => {
    const element = box.current!;
    if (height_before.current !== undefined) {
      element.scrollTop += element.scrollHeight - height_before.current;
      height_before.current = undefined;
    } else if (!hold) element.scrollTop = element.scrollHeight;
  });
  useEffect(() => {
    if (!hold) setRowCount(rows_live);
  }, [hold === undefined]);
  useEffect(() => {
    const element = box.current!;
    const observer = new ResizeObserver(() => {
      if (!hold) element.scrollTop = element.scrollHeight;
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [hold === undefined]);

  const onScroll = () => {
    const { scrollHeight, scrollTop, clientHeight } = box.current!;
    const below_px = scrollHeight - scrollTop - clientHeight;
    if (!hold && below_px > near_px) onHold({ seq: captions.at(-1)?.seq ?? 0, by: "scroll" });
    else if (hold?.by === "scroll" && below_px < 4) onHold(undefined);
  };
  const older = async () => {
    if (!hold) onHold({ seq: captions.at(-1)?.seq ?? 0, by: "button" });
    const unshown = held.length > rows.length;
    if (!unshown) {
      setMore(await loadOlder(stream));
      // Let go meanwhile: the list is at its end again.
      if (!hold_now.current) return;
    }
    height_before.current = box.current!.scrollHeight;
    setRowCount(Math.min(rows_max, row_count + rows_step));
  };
  // Older rows are for reading, not for announcing: only what is said now is read aloud.
  const reads_back = hold !== undefined || row_count > rows_live;
  const can_load = (rows[0]?.seq ?? 1) > 1 && (more || held.length > rows.length);
  return (
    <div class="log-frame">
      <div
        class="log"
        ref={box}
        onScroll={onScroll}
        role="log"
        aria-live={reads_back ? "off" : "polite"}
        aria-label="Captions"
        tabIndex={0}
      >
        {can_load && row_count < rows_max && (
          <button
            type="button"
            class="button small older"
            onClick={() => void older()}
          >
            Load older
          </button>
        )}
        {row_count >= rows_max && <p class="hint">Older captions are in the search and in the export.</p>}
        {rows.map((caption, index) => [
          index > 0 && caption.seq > rows[index - 1].seq + 1 && (
            <p class="hint gap" key={`gap${caption.seq}`}>
              {caption.seq - rows[index - 1].seq - 1} captions are no longer kept
            </p>
          ),
          <CaptionRow key={caption.seq} caption={caption} />,
        ])}
        {rows.length === 0 && <p class="hint">Nothing was said yet. Silence is an answer too.</p>}
      </div>
      {!hold && speaking && <p class="speaking" aria-hidden="true">{speaking.text}</p>}
      {hold && (
        <button type="button" class="button primary small resume" onClick={() => onHold(undefined)}>
          {waiting_count === 0 ? "Held. Resume" : `${waiting_count} new. Resume`}
        </button>
      )}
    </div>
  );
}
