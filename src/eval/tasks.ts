// The tasks of the evaluation: what each is, and whether this service can be asked it. Must not know scores.
import type { TaskLine } from "./report.ts";

export const task_names = [
  ...["T1", "T2", "T3", "T4", "T5", "T6", "T7", "T8", "T9", "T10", "T11", "T12"] as const,
] as const;
export type TaskName = typeof task_names[number];

interface Task {
  title: string;
  /** Why it cannot be measured, or what is measured in its place. */
  missing?: string;
  instead?: string;
}

export const tasks: Record<TaskName, Task> = {
  T1: { title: "tell what happens" },
  T2: { title: "be silent about stills" },
  T3: { title: "count repeats" },
  T4: { title: "shell game: where is it after places were swapped" },
  T5: {
    title: "tell me when X comes",
    instead: "The service has no alerts. Asked of forks every few seconds instead: was there ever X?",
  },
  T6: { title: "change and cancel alerts", missing: "The service has no alerts." },
  T7: { title: "questions about what is over" },
  T8: { title: "questions about what never was" },
  T9: { title: "read text", missing: "The synthetic world has no text." },
  T10: { title: "questions about any moment of the past" },
  T11: { title: "speak by the clock or on a cue", missing: "The service takes no such wishes." },
  T12: { title: "endurance" },
};

/** Without being named: all but the long one. */
export const default_tasks: readonly TaskName[] = task_names.filter((name) =>
  name !== "T12" && tasks[name].missing === undefined
);

export function taskLines(asked: ReadonlySet<TaskName>, measured: ReadonlySet<TaskName>): TaskLine[] {
  return task_names.map((task) => {
    const { title, missing, instead } = tasks[task];
    if (missing !== undefined) return { task, title, status: "not_offered", note: missing };
    if (!asked.has(task)) return { task, title, status: "not_asked", note: "" };
    if (!measured.has(task)) {
      return { task, title, status: "not_asked", note: "There was nothing to measure it on." };
    }
    return { task, title, status: instead === undefined ? "measured" : "substitute", note: instead ?? "" };
  });
}
