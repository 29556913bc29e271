// Structured log lines on stderr: JSON for machines, or one plain line for a terminal. Passed in, never global.

export interface Log {
  info(event: string, fields?: Record<string, unknown>): void;
  warn(event: string, fields?: Record<string, unknown>): void;
  error(event: string, fields?: Record<string, unknown>): void;
}

export type LogLevel = "info" | "warn" | "error" | "silent";
const rank: Record<LogLevel, number> = { info: 0, warn: 1, error: 2, silent: 3 };

export interface LogOptions {
  level: LogLevel;
  format: "json" | "text";
  write(line: string): void;
  now_ms(): number;
}

function plain(value: unknown): unknown {
  return value instanceof Error ? value.message : value;
}

export function createLog(options: LogOptions): Log {
  const emit =
    (level: Exclude<LogLevel, "silent">) => (event: string, fields: Record<string, unknown> = {}) => {
      if (rank[level] < rank[options.level]) return;
      const entries = Object.entries(fields).map(([key, value]) => [key, plain(value)] as const);
      const time = new Date(options.now_ms()).toISOString();
      if (options.format === "json") {
        return options.write(JSON.stringify({ time, level, event, ...Object.fromEntries(entries) }));
      }
      const tail = entries.map(([key, value]) =>
        ` ${key}=${typeof value === "string" ? value : JSON.stringify(value)}`
      );
      options.write(`${time.slice(11, 23)} ${level.padEnd(5)} ${event}${tail.join("")}`);
    };
  return { info: emit("info"), warn: emit("warn"), error: emit("error") };
}

export const silent_log: Log = { info() {}, warn() {}, error() {} };
