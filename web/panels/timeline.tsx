// The past of a stream as a slider: captions, P(speak), snapshots. Choosing a moment is all it does; the ask box
// asks about it. The drawing is in timeline_plot.tsx, the arithmetic in timeline_scale.ts.
import { useEffect, useRef, useState } from "preact/hooks";
import type { StreamView } from "../../src/wire/mod.ts";
import { chooseMoment, loadMarks, snapshots } from "../actions.ts";
import { feed, now_ms } from "../edge.ts";
import { moment_ms } from "../moment.ts";
import { clockTime, durationText, relativeTime } from "../time_text.ts";
import {
  captionAt,
  keepInView,
  snapshotFor,
  spans_ms,
  stretchOf,
  timeAt,
  type View,
  zoom,
} from "../timeline_scale.ts";
import { focusQuestion } from "./ask_box.tsx";
import { Icon } from "./icon.tsx";
import { TimelinePlot } from "./timeline_plot.tsx";

/** A young stream is shown closer, or its whole life would be a few pixels. */
const start_spans_ms = { young: 120_000, grown: 600_000 };
/** The last pixels of a live stretch are "now". */
const now_px = 8;

function startView({ stats }: StreamView): View {
  const { young, grown } = start_spans_ms;
  return { span_ms: stats.memory_age_ms < young ? young : grown, end_ms: undefined };
}

export function Timeline({ stream }: { stream: StreamView }) {
  const box = useRef<HTMLDivElement>(null);
  const [width_px, setWidth] = useState(600);
  const [chosen_view, setView] = useState<View>(() => startView(stream));
  const [known_from_ms, setKnownFrom] = useState<number>();
  const [hover_px, setHover] = useState<number>();
  const present_ms = now_ms.value;
  const at_ms = moment_ms.value;
  const view = keepInView(chosen_view, at_ms, present_ms);
  const stretch = stretchOf(view, present_ms);
  const marks = feed.value.marks;

  useEffect(() => {
    const observer = new ResizeObserver(([entry]) =>
      setWidth(Math.max(200, Math.round(entry.contentRect.width)))
    );
    observer.observe(box.current!);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    if (view !== chosen_view) setView(view);
  });
  useEffect(() => {
    const { from_ms, to_ms } = stretchOf(view, Date.now());
    void loadMarks(stream.id, from_ms, to_ms).then(setKnownFrom);
  }, [stream.id, view.span_ms, view.end_ms]);

  const changeZoom = (step: -1 | 1) => setView(zoom(view, step, at_ms, present_ms));
  const choose = (t_ms: number | undefined) =>
    chooseMoment(t_ms === undefined || t_ms >= Date.now() - 500 ? undefined : t_ms);
  const pixelOf = (event: PointerEvent) => event.clientX - box.current!.getBoundingClientRect().left;
  const point = (event: PointerEvent) => {
    const x_px = pixelOf(event);
    choose(
      view.end_ms === undefined && x_px > width_px - now_px ? undefined : timeAt(x_px, stretch, width_px),
    );
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const current_ms = at_ms ?? present_ms;
    const step_ms = view.span_ms / 120;
    const before = () => captionAt(marks, current_ms - 1);
    const after = () => marks.find((mark) => Date.parse(mark.t_wall) > current_ms);
    const wallOf = (mark: { t_wall: string } | undefined) => mark && Date.parse(mark.t_wall);
    const keys: Record<string, () => void> = {
      ArrowLeft: () => choose(current_ms - step_ms),
      ArrowDown: () => choose(current_ms - step_ms),
      ArrowRight: () => choose(current_ms + step_ms),
      ArrowUp: () => choose(current_ms + step_ms),
      PageUp: () => choose(wallOf(before()) ?? current_ms),
      PageDown: () => choose(wallOf(after())),
      Home: () => choose(wallOf(snapshots.value[stream.id]?.[0]) ?? stretch.from_ms),
      End: () => choose(undefined),
      Escape: () => choose(undefined),
      "+": () => changeZoom(-1),
      "=": () => changeZoom(-1),
      "-": () => changeZoom(1),
      Enter: focusQuestion,
    };
    if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  };

  return (
    <section class="panel timeline" aria-labelledby="timeline-title">
      <header class="panel-head">
        <h2 id="timeline-title">Timeline</h2>
        <span class="legend" aria-hidden="true">
          {stream.refresh === null && (
            <>
              <i class="speak" />P(speak) <i class="threshold" />threshold{" "}
            </>
          )}
          <i class="tick" />caption <i class="snap" />snapshot
        </span>
        <ZoomButtons view={view} onZoom={changeZoom} />
      </header>
      <div
        class="plot"
        ref={box}
        role="slider"
        tabIndex={0}
        aria-label="Moment to ask about"
        aria-orientation="horizontal"
        aria-valuemin={0}
        aria-valuemax={Math.round(view.span_ms / 1000)}
        aria-valuenow={Math.round(((at_ms ?? stretch.to_ms) - stretch.from_ms) / 1000)}
        aria-valuetext={at_ms === undefined ? "now" : momentText(at_ms, present_ms)}
        onKeyDown={onKeyDown}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          point(event);
        }}
        onPointerMove={(event) => {
          setHover(pixelOf(event));
          if (event.currentTarget.hasPointerCapture(event.pointerId)) point(event);
        }}
        onPointerLeave={() => setHover(undefined)}
        onWheel={(event) => {
          if (!event.ctrlKey) return;
          event.preventDefault();
          changeZoom(event.deltaY > 0 ? 1 : -1);
        }}
      >
        <TimelinePlot
          {...{ stretch, width_px, at_ms, hover_px, known_from_ms, marks }}
          samples={feed.value.samples}
          snapshots={snapshots.value[stream.id] ?? []}
          threshold={stream.refresh ? undefined : stream.stats.speak_threshold}
          now_ms={present_ms}
        />
      </div>
      <Readout stream={stream.id} />
    </section>
  );
}

function ZoomButtons({ view, onZoom }: { view: View; onZoom(step: -1 | 1): void }) {
  const index = spans_ms.indexOf(view.span_ms);
  const last = spans_ms.length - 1;
  return (
    <span class="zoom">
      <button
        type="button"
        class="button quiet icon-only"
        aria-label="Show more time"
        disabled={index === last}
        onClick={() => onZoom(1)}
      >
        <Icon name="minus" />
      </button>
      <span>{durationText(view.span_ms)}</span>
      <button
        type="button"
        class="button quiet icon-only"
        aria-label="Show less time"
        disabled={index === 0}
        onClick={() => onZoom(-1)}
      >
        <Icon name="plus" />
      </button>
    </span>
  );
}

function momentText(at_ms: number, present_ms: number): string {
  const said = captionAt(feed.value.marks, at_ms)?.text;
  return `${clockTime(at_ms, present_ms)}, ${relativeTime(at_ms, present_ms)}${said ? `: ${said}` : ""}`;
}

function Readout({ stream }: { stream: string }) {
  const at_ms = moment_ms.value;
  if (at_ms === undefined) {
    return <p class="readout">Click, drag or use the arrow keys to choose a moment to ask about.</p>;
  }
  const said = captionAt(feed.value.marks, at_ms)?.text;
  const known = snapshots.value[stream];
  const from = known && snapshotFor(known, at_ms);
  return (
    <p class="readout chosen">
      <b>{clockTime(at_ms, now_ms.value)}</b>
      {said && <span class="readout-said">{said}</span>}
      <span class={known && !from ? "readout-from bad" : "readout-from"}>
        {from && `memory of ${clockTime(Date.parse(from.t_wall), now_ms.value)}`}
        {known && !from && "no snapshot is that old"}
      </span>
      <button type="button" class="button small" onClick={() => chooseMoment(undefined)}>Back to now</button>
    </p>
  );
}
