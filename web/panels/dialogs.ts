// Which dialog is open. Only signals, so that any panel can open one without knowing it.
import { signal } from "@preact/signals";
import type { StreamView } from "../../src/wire/mod.ts";

/** "new" adds a stream, a stream is edited, undefined: closed. */
export const stream_form = signal<"new" | StreamView | undefined>(undefined);
export const delete_asked = signal<StreamView | undefined>(undefined);
