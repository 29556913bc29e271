// Times, durations, sizes and counts as words. Pure: the present is always an argument.

const minute_ms = 60_000;
const hour_ms = 3_600_000;
const day_ms = 86_400_000;

/** "now", "12 s ago", "3 min ago", "2 h 5 min ago", "4 d ago". A clock ahead of ours reads as "now". */
export function relativeTime(then_ms: number, now_ms: number): string {
  const age_ms = now_ms - then_ms;
  if (age_ms < 1500) return "now";
  return `${durationText(age_ms)} ago`;
}

/** The two largest units: "41 s", "3 min", "2 h 5 min", "4 d 2 h". Seconds are dropped from ten minutes on. */
export function durationText(duration_ms: number): string {
  const whole_ms = Math.max(0, duration_ms);
  if (whole_ms < minute_ms) return `${Math.floor(whole_ms / 1000)} s`;
  if (whole_ms < 10 * minute_ms) {
    return pair(whole_ms, { unit_ms: minute_ms, unit: "min", rest_ms: 1000, rest: "s" });
  }
  if (whole_ms < hour_ms) return `${Math.floor(whole_ms / minute_ms)} min`;
  if (whole_ms < day_ms) {
    return pair(whole_ms, { unit_ms: hour_ms, unit: "h", rest_ms: minute_ms, rest: "min" });
  }
  return pair(whole_ms, { unit_ms: day_ms, unit: "d", rest_ms: hour_ms, rest: "h" });
}

function pair(
  whole_ms: number,
  form: { unit_ms: number; unit: string; rest_ms: number; rest: string },
): string {
  const count = Math.floor(whole_ms / form.unit_ms);
  const rest = Math.floor((whole_ms % form.unit_ms) / form.rest_ms);
  return rest === 0 ? `${count} ${form.unit}` : `${count} ${form.unit} ${rest} ${form.rest}`;
}

/** "14:03:22"; with the date in front when it is not today. */
export function clockTime(then_ms: number, now_ms: number): string {
  const then = new Date(then_ms);
  const clock = [then.getHours(), then.getMinutes(), then.getSeconds()]
    .map((part) => String(part).padStart(2, "0")).join(":");
  if (then.toDateString() === new Date(now_ms).toDateString()) return clock;
  const date = [then.getFullYear(), then.getMonth() + 1, then.getDate()]
    .map((part) => String(part).padStart(2, "0")).join("-");
  return `${date} ${clock}`;
}

/** Milliseconds for people: "84 ms", "1.2 s". A dash when nothing was measured yet. */
export function latencyText(value_ms: number | null | undefined): string {
  if (value_ms === null || value_ms === undefined) return "–";
  if (value_ms < 10) return `${value_ms.toFixed(1)} ms`;
  return value_ms < 1000 ? `${Math.round(value_ms)} ms` : `${(value_ms / 1000).toFixed(1)} s`;
}

/** Binary units, as memory is counted: "3.1 MiB". */
export function bytesText(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB"];
  let value = bytes;
  let unit_index = 0;
  while (value >= 1024 && unit_index < units.length - 1) {
    value /= 1024;
    unit_index++;
  }
  return `${unit_index === 0 ? value : value.toFixed(value < 100 ? 1 : 0)} ${units[unit_index]}`;
}

/** Thousands set apart by a thin space: "12 480". */
export function countText(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f");
}
