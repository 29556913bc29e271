// The chosen moment: what the timeline points at and the ask box asks about. It lives in the address.
import { computed } from "@preact/signals";
import { route } from "./edge.ts";

/** undefined means now. */
export const moment_ms = computed(() =>
  route.value.at === undefined ? undefined : Date.parse(route.value.at)
);
