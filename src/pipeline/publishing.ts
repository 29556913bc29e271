// A publisher takes its place at a push stream; what is refused of its messages is counted. Must not know sockets.
import { RequestError } from "../errors.ts";
import type { Entry } from "./entry.ts";
import type { PushFrameSource } from "./ports.ts";
import type { Publisher, PublisherEvents } from "./surface.ts";

/** Throws RequestError when the stream is not a push stream or is paused. */
export function attachPublisher(entry: Entry, events: PublisherEvents): Publisher {
  const { id } = entry;
  if (entry.request.source.kind !== "push") {
    throw new RequestError("request_invalid", `Cannot publish to "${id}": its source is pulled, not pushed`);
  }
  if (entry.paused) throw new RequestError("stream_paused", `Cannot publish to "${id}": it is paused`);
  const publisher = (entry.source as PushFrameSource).attach(events);
  return {
    offer: (message) => {
      const verdict = publisher.offer(message);
      if (!verdict.taken) entry.counters.refused++;
      return verdict;
    },
    detach: (for_good) => publisher.detach(for_good),
  };
}
