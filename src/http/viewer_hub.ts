// All viewers of /ws/watch: hears the surface once, makes the wire form of an event once, hands it to everyone.
// Must not know what a viewer does with it.
import type { Log } from "../log.ts";
import type { StreamEvent, Surface } from "../pipeline/surface.ts";
import { encodePicture, type ServerMessage } from "../wire/mod.ts";
import { captionMessage } from "./to_wire.ts";
import { type Broadcast, Viewer, type ViewerOptions } from "./viewer_socket.ts";

function wireForm(event: StreamEvent): string | Uint8Array {
  if (event.type === "picture") return encodePicture(event);
  const message: ServerMessage = event.type === "caption.final"
    ? { type: "caption.final", caption: captionMessage(event.caption) }
    : event;
  return JSON.stringify(message);
}

function broadcast(event: StreamEvent): Broadcast {
  let wire: string | Uint8Array | undefined;
  return { event, wire: () => wire ??= wireForm(event) };
}

export class ViewerHub {
  readonly #viewers = new Set<Viewer>();
  readonly #stopListening: () => void;

  constructor(surface: Surface, log: Log) {
    this.#stopListening = surface.listen((event) => {
      const sent = broadcast(event);
      for (const viewer of this.#viewers) {
        try {
          viewer.onEvent(sent);
        } catch (error) {
          // A fault with one viewer may not reach the stream, which must not wait for anybody.
          log.error("viewer.failed", { event: event.type, error });
          viewer.socket.close(1011, "a fault of the server");
        }
      }
    });
  }

  add(options: ViewerOptions): void {
    // Hello is sent by the constructor, so no event comes before it.
    const viewer = new Viewer(options);
    this.#viewers.add(viewer);
    options.socket.gone.addEventListener("abort", () => this.#viewers.delete(viewer), { once: true });
  }

  /** About once per second. */
  check(): void {
    for (const viewer of this.#viewers) viewer.check();
  }

  goAway(deadline_ms: number, reason: string): void {
    for (const viewer of this.#viewers) viewer.goAway(deadline_ms, reason);
  }

  close(): void {
    this.#stopListening();
  }
}
