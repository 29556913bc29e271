// The arithmetic of the timeline: which stretch of time is shown, where a time lies, which times get a label.
// Pure; knows no drawing.
import type { CaptionMessage, SnapshotMessage } from "../src/wire/mod.ts";
import type { Sample } from "./feed.ts";

const minute_ms = 60_000;
const hour_ms = 60 * minute_ms;

/** Stretches to choose from, shortest first. */
export const spans_ms = [2, 10, 30, 60, 180, 360, 720, 1440].map((minutes) => minutes * minute_ms);

/** undefined end: the stretch ends at the present and moves with it. */
export interface View {
  span_ms: number;
  end_ms: number | undefined;
}

export interface Stretch {
  from_ms: number;
  to_ms: number;
}

export function stretchOf(view: View, now_ms: number): Stretch {
  const to_ms = view.end_ms ?? now_ms;
  return { from_ms: to_ms - view.span_ms, to_ms };
}

/** One step in (-1) or out (+1), around the chosen moment if there is one. */
export function zoom(view: View, step: -1 | 1, moment_ms: number | undefined, now_ms: number): View {
  const index = Math.max(0, Math.min(spans_ms.length - 1, spans_ms.indexOf(view.span_ms) + step));
  return keepInView({ span_ms: spans_ms[index], end_ms: undefined }, moment_ms, now_ms);
}

/** Moves the stretch only when the moment lies outside of it; then the moment comes to its middle. */
export function keepInView(view: View, moment_ms: number | undefined, now_ms: number): View {
  if (moment_ms === undefined) return view.end_ms === undefined ? view : { ...view, end_ms: undefined };
  const { from_ms, to_ms } = stretchOf(view, now_ms);
  if (moment_ms >= from_ms && moment_ms <= to_ms) return view;
  const end_ms = moment_ms + view.span_ms / 2;
  return { ...view, end_ms: end_ms >= now_ms ? undefined : end_ms };
}

export function positionOf(t_ms: number, stretch: Stretch, width_px: number): number {
  return (t_ms - stretch.from_ms) / (stretch.to_ms - stretch.from_ms) * width_px;
}

export function timeAt(x_px: number, stretch: Stretch, width_px: number): number {
  const share = Math.max(0, Math.min(1, x_px / Math.max(1, width_px)));
  return Math.round(stretch.from_ms + share * (stretch.to_ms - stretch.from_ms));
}

const label_steps_ms = [
  15_000,
  30_000,
  ...[1, 2, 5, 10, 15, 30, 60, 120, 240, 360].map((m) => m * minute_ms),
];

/** Round local times, at least `gap_px` apart. */
export function labelTimes(stretch: Stretch, width_px: number, gap_px = 84): number[] {
  const per_px_ms = (stretch.to_ms - stretch.from_ms) / Math.max(1, width_px);
  const step_ms = label_steps_ms.find((step) => step / per_px_ms >= gap_px) ?? 12 * hour_ms;
  const zone_ms = new Date(stretch.to_ms).getTimezoneOffset() * minute_ms;
  const times: number[] = [];
  const first_ms = Math.ceil((stretch.from_ms - zone_ms) / step_ms) * step_ms + zone_ms;
  for (let t_ms = first_ms; t_ms <= stretch.to_ms; t_ms += step_ms) times.push(t_ms);
  return times;
}

/** The newest snapshot at or before the moment: the memory that would answer. */
export function snapshotFor(
  snapshots: readonly SnapshotMessage[],
  moment_ms: number,
): SnapshotMessage | undefined {
  return snapshots.findLast((snapshot) => Date.parse(snapshot.t_wall) <= moment_ms);
}

/** The newest caption at or before the moment. */
export function captionAt(
  captions: readonly CaptionMessage[],
  moment_ms: number,
): CaptionMessage | undefined {
  return captions.findLast((caption) => Date.parse(caption.t_wall) <= moment_ms);
}

/** The path of P(speak), at most one point per pixel (the highest), broken where nothing was measured. */
export function speakPath(
  samples: readonly Sample[],
  stretch: Stretch,
  size: { width_px: number; height_px: number },
): string {
  const peaks = new Map<number, { p: number; at_ms: number }>();
  for (const { at_ms, p_speak } of samples) {
    if (p_speak === null || at_ms < stretch.from_ms || at_ms > stretch.to_ms) continue;
    const x_px = Math.round(positionOf(at_ms, stretch, size.width_px));
    if ((peaks.get(x_px)?.p ?? -1) < p_speak) peaks.set(x_px, { p: p_speak, at_ms });
  }
  const hole_ms = Math.max(5_000, (stretch.to_ms - stretch.from_ms) / Math.max(1, size.width_px) * 4);
  let path = "";
  let last_ms = -Infinity;
  for (const [x_px, { p, at_ms }] of [...peaks].sort((a, b) => a[0] - b[0])) {
    const y_px = ((1 - p) * size.height_px).toFixed(1);
    path += `${at_ms - last_ms > hole_ms ? "M" : "L"}${x_px} ${y_px}`;
    last_ms = at_ms;
  }
  return path;
}
