// What one viewer reads, and how far it has come. Captions come from the log by number, so replay and live are one
// thing: no gap and no duplicate. Must not know sockets or messages of clients.
import type { Caption } from "../pipeline/ports.ts";
import type { Surface } from "../pipeline/surface.ts";
import { describeError } from "./error_response.ts";
import { http_limits } from "./limits.ts";
import { captionMessage } from "./to_wire.ts";
import type { Outbox } from "./viewer_outbox.ts";

interface Subscription {
  pictures: boolean;
  /** Number of the last caption sent. */
  cursor: number;
  /** True while the log has more than was sent; live captions then come through the log, in order. */
  behind: boolean;
  /** True while a page is on its way; the next is read when it has left. */
  paging: boolean;
}

export interface ViewerReadingOptions {
  surface: Surface;
  outbox: Outbox;
  onFailed(error: unknown): void;
}

export class ViewerReading {
  readonly #options: ViewerReadingOptions;
  readonly #subscriptions = new Map<string, Subscription>();

  constructor(options: ViewerReadingOptions) {
    this.#options = options;
  }

  reads(stream: string): boolean {
    return this.#subscriptions.has(stream);
  }
  /** Words of a caption to come make no sense in the middle of a replay. */
  readsLive(stream: string): boolean {
    return this.#subscriptions.get(stream)?.behind === false;
  }
  wantsPictures(stream: string): boolean {
    return this.#subscriptions.get(stream)?.pictures === true;
  }

  /** Again for the same stream begins anew. Throws stream_unknown. */
  subscribe(stream: string, { after_seq, pictures }: { after_seq?: number; pictures: boolean }): void {
    const { surface } = this.#options;
    const { last_seq } = surface.get(stream);
    // A number from before the log was emptied would wait for captions that come in days.
    let cursor = Math.min(after_seq ?? last_seq, last_seq);
    if (after_seq === undefined) {
      const oldest = surface.captions(stream, {
        limit: http_limits.viewer_captions_newest,
        newest_first: true,
      }).at(-1);
      if (oldest) cursor = oldest.seq - 1;
    }
    if (!this.reads(stream)) this.#countViewer(stream, 1);
    const subscription = { pictures, cursor, behind: cursor < last_seq, paging: false };
    this.#subscriptions.set(stream, subscription);
    if (subscription.behind) this.#readLog(stream, subscription);
  }

  unsubscribe(stream: string): void {
    if (this.#subscriptions.delete(stream)) this.#countViewer(stream, -1);
  }

  /** The stream is gone, and its count of viewers with it. */
  forget(stream: string): void {
    this.#subscriptions.delete(stream);
  }

  leave(): void {
    for (const stream of [...this.#subscriptions.keys()]) this.unsubscribe(stream);
  }

  /** A new caption, already in the log. */
  onCaption(caption: Caption, wire: () => string | Uint8Array): void {
    const { outbox } = this.#options;
    const subscription = this.#subscriptions.get(caption.stream);
    if (!subscription || caption.seq <= subscription.cursor) return;
    if (!subscription.behind && !outbox.busy && caption.seq === subscription.cursor + 1) {
      subscription.cursor = caption.seq;
      return outbox.send(wire());
    }
    subscription.behind = true;
    this.#readLog(caption.stream, subscription);
  }

  /** There is room again: read on where it stopped. */
  catchUp(): void {
    for (const [stream, subscription] of this.#subscriptions) {
      if (subscription.behind) this.#readLog(stream, subscription);
    }
  }

  /** Sends one page from the log; the next follows when the kernel has taken it. */
  #readLog(stream: string, subscription: Subscription): void {
    const { surface, outbox, onFailed } = this.#options;
    if (subscription.paging || this.#subscriptions.get(stream) !== subscription) return;
    // Held back: the outbox calls again when there is room.
    if (outbox.busy) return outbox.holdBack();
    let page: Caption[];
    try {
      page = surface.captions(stream, {
        after_seq: subscription.cursor,
        limit: http_limits.viewer_page_captions,
      });
    } catch (error) {
      return onFailed(error);
    }
    const more = page.length === http_limits.viewer_page_captions;
    subscription.behind = more;
    subscription.paging = more;
    const last = page.at(-1);
    const onLeft = () => {
      subscription.paging = false;
      this.#readLog(stream, subscription);
    };
    for (const caption of page) {
      subscription.cursor = caption.seq;
      const text = JSON.stringify({ type: "caption.final", caption: captionMessage(caption) });
      outbox.send(text, more && caption === last ? onLeft : undefined);
    }
  }

  #countViewer(stream: string, change: 1 | -1): void {
    try {
      this.#options.surface.countViewers(stream, change);
    } catch (error) {
      // It went in the meantime.
      if (describeError(error).error.code !== "stream_unknown") throw error;
    }
  }
}
