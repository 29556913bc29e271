// Short messages that come and go. Errors stay until dismissed: a person may be looking elsewhere.
import { signal } from "@preact/signals";
import { ApiError } from "./api.ts";

export interface Toast {
  id: number;
  kind: "error" | "note";
  text: string;
}

const toasts_max = 4;
const note_ms = 4_000;
let next_id = 1;

export const toasts = signal<readonly Toast[]>([]);

export function addToast(kind: Toast["kind"], text: string): void {
  const toast = { id: next_id++, kind, text };
  toasts.value = [...toasts.value.filter((known) => known.text !== text), toast].slice(-toasts_max);
  if (kind === "note") setTimeout(() => dismissToast(toast.id), note_ms);
}

export function dismissToast(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}

/** The sentence of an error: the server's own where there is one. */
export function errorText(error: unknown): string {
  if (error instanceof ApiError) return error.message;
  return error instanceof Error ? error.message : String(error);
}
