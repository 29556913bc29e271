// The shape of a command, and what the composition root gives it.
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import type { Log } from "../log.ts";
import type { Service } from "../pipeline/service.ts";
import type { Io } from "./io.ts";

export interface Served {
  url: string;
  close(reason: string): Promise<void>;
}

/** Everything wired together. Streams stand still until `open`. */
export interface Gander {
  config: Config;
  service: Service;
  clock: Clock;
  log: Log;
  /** Brings the stored streams and their memories back; with `play`, starts their sources. */
  open(options?: { play?: boolean }): Promise<void>;
  /** Starts the HTTP server. Not ready (503) until `open` is done. */
  serve(options?: { any_port?: boolean }): Promise<Served>;
  /** Stops streams, writes last snapshots, closes everything. */
  close(): Promise<void>;
}

export interface ComposeInput {
  /** Path of a configuration file. */
  file?: string;
  /** Options from the command line. */
  flags: Record<string, unknown>;
  /** Folders whose files may be streams where files are not allowed otherwise. */
  file_roots?: string[];
}

export type Compose = (input: ComposeInput, io: Io) => Promise<Gander>;
/** Returns the exit status. */
export type Command = (words: readonly string[], io: Io, compose: Compose) => Promise<number>;
export type CommandName =
  | "demo"
  | "serve"
  | "watch"
  | "ask"
  | "describe"
  | "model"
  | "world"
  | "train"
  | "eval"
  | "bench"
  | "doctor"
  | "config";
export type Commands = Record<CommandName, Command>;
