// "Tell me when X comes" by asking again and again on a fork: the service has no alerts of its own, so this says what
// its memory could give to one. Must not know models.
import type { Given } from "./exam.ts";

export interface PollScore {
  /** Things that came, and those of them that were noticed. */
  due: number;
  noticed: number;
  recall: number | null;
  /** From when it came to the first yes; polls are some seconds apart. */
  latency_mean_s: number | null;
  /** First yes about what has not come, or never does; per hour watched for one thing. */
  false_alarms: number;
  watched_s: number;
  false_alarms_per_hour: number | null;
}

export function scorePolls(polls: readonly (readonly Given[])[]): PollScore {
  let due = 0, noticed = 0, late_s = 0, false_alarms = 0, watched_s = 0;
  for (const series of polls) {
    const in_time = [...series].sort((a, b) => a.question.t_s - b.question.t_s);
    const due_s = in_time[0]?.question.due_s;
    const saysYes = ({ text }: Given) => /^\W*yes\b/i.test(text);
    const alarm = in_time.find((one) => saysYes(one) && (due_s === undefined || one.question.t_s < due_s));
    // After a false alarm nobody watches any more.
    watched_s += Math.min(
      alarm?.question.t_s ?? Infinity,
      due_s ?? Infinity,
      in_time.at(-1)?.question.t_s ?? 0,
    );
    if (alarm) false_alarms++;
    if (due_s === undefined) continue;
    due++;
    const first = in_time.find((one) => saysYes(one) && one.question.t_s >= due_s);
    if (alarm || !first) continue;
    noticed++;
    late_s += first.question.t_s - due_s;
  }
  return {
    ...{ due, noticed, recall: due === 0 ? null : noticed / due },
    latency_mean_s: noticed === 0 ? null : late_s / noticed,
    ...{ false_alarms, watched_s },
    false_alarms_per_hour: watched_s === 0 ? null : false_alarms * 3_600 / watched_s,
  };
}
