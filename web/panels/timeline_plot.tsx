// The drawing of the timeline. Decoration for the slider around it: everything it shows is also in words there.
import type { CaptionMessage, SnapshotMessage } from "../../src/wire/mod.ts";
import type { Sample } from "../feed.ts";
import { clockTime } from "../time_text.ts";
import { labelTimes, positionOf, speakPath, type Stretch, timeAt } from "../timeline_scale.ts";

const speak_px = 54;
const ticks_px = { top: 62, bottom: 78 };
const snapshots_px = 87;
const labels_px = 108;
const height_px = 114;

export interface TimelinePlotProps {
  stretch: Stretch;
  width_px: number;
  at_ms: number | undefined;
  hover_px: number | undefined;
  /** Captions before it were not loaded. */
  known_from_ms: number | undefined;
  marks: readonly CaptionMessage[];
  samples: readonly Sample[];
  snapshots: readonly SnapshotMessage[];
  /** Undefined where nothing is decided. */
  threshold: number | undefined;
  now_ms: number;
}

export function TimelinePlot(props: TimelinePlotProps) {
  const { stretch, width_px, at_ms, hover_px, known_from_ms, now_ms } = props;
  const xOf = (t_ms: number) => positionOf(t_ms, stretch, width_px);
  const threshold_px = (1 - (props.threshold ?? 0)) * speak_px;
  const unknown_px = known_from_ms === undefined ? 0 : xOf(known_from_ms);
  return (
    <svg width={width_px} height={height_px} viewBox={`0 0 ${width_px} ${height_px}`} aria-hidden="true">
      {labelTimes(stretch, width_px).map((t_ms) => (
        <g key={t_ms}>
          <line class="grid" x1={xOf(t_ms)} x2={xOf(t_ms)} y1={0} y2={snapshots_px + 8} />
          <text class="label" x={labelX(xOf(t_ms), width_px)} y={labels_px}>
            {clockTime(t_ms, t_ms).slice(0, 5)}
          </text>
        </g>
      ))}
      <line class="base" x1={0} x2={width_px} y1={speak_px} y2={speak_px} />
      {props.threshold !== undefined && (
        <line class="threshold" x1={0} x2={width_px} y1={threshold_px} y2={threshold_px} />
      )}
      <path class="speak" d={speakPath(props.samples, stretch, { width_px, height_px: speak_px })} />
      {unknown_px > 1 && <rect class="unknown" x={0} y={ticks_px.top} width={unknown_px} height={16} />}
      <path class="ticks" d={tickPath(props.marks, stretch, width_px)} />
      <path class="snaps" d={snapPath(props.snapshots, stretch, width_px)} />
      {at_ms !== undefined && (
        <g class="moment">
          <line x1={xOf(at_ms)} x2={xOf(at_ms)} y1={0} y2={snapshots_px + 8} />
          <circle cx={xOf(at_ms)} cy={ticks_px.top - 4} r={5} />
        </g>
      )}
      {hover_px !== undefined && (
        <g class="hover">
          <line x1={hover_px} x2={hover_px} y1={0} y2={snapshots_px + 8} />
          <text x={labelX(hover_px, width_px)} y={10}>
            {clockTime(timeAt(hover_px, stretch, width_px), now_ms)}
          </text>
        </g>
      )}
    </svg>
  );
}

/** Keeps a centred label inside of the plot. */
function labelX(x_px: number, width_px: number): number {
  return Math.max(26, Math.min(width_px - 26, x_px));
}

/** One stroke per pixel column, however many captions share it. */
function tickPath(marks: readonly CaptionMessage[], stretch: Stretch, width_px: number): string {
  const columns = new Set<number>();
  for (const mark of marks) {
    const t_ms = Date.parse(mark.t_wall);
    if (t_ms < stretch.from_ms || t_ms > stretch.to_ms) continue;
    columns.add(Math.round(positionOf(t_ms, stretch, width_px)));
  }
  return [...columns].map((x) => `M${x + 0.5} ${ticks_px.top}V${ticks_px.bottom}`).join("");
}

/** Diamonds, the ones that would touch left out. */
function snapPath(snapshots: readonly SnapshotMessage[], stretch: Stretch, width_px: number): string {
  let path = "";
  let last_px = -Infinity;
  for (const snapshot of snapshots) {
    const t_ms = Date.parse(snapshot.t_wall);
    if (t_ms < stretch.from_ms || t_ms > stretch.to_ms) continue;
    const x_px = positionOf(t_ms, stretch, width_px);
    if (x_px - last_px < 6) continue;
    last_px = x_px;
    path += `M${(x_px - 3).toFixed(1)} ${snapshots_px}l3 -3 3 3 -3 3z`;
  }
  return path;
}
