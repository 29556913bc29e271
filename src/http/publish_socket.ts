// One publisher on /ws/publish: it says what it brings, is granted credits, and sends media under them. Media leaves
// this room through the Publisher as it came. Must not know decoders or the pipeline.
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Publisher, Surface } from "../pipeline/surface.ts";
import {
  close_codes,
  parsePush,
  publisher_message_schema,
  type PublisherMessage,
  type PublishReply,
  type PushFormat,
} from "../wire/mod.ts";
import { describeError } from "./error_response.ts";
import { HttpError } from "./http_error.ts";
import { http_limits } from "./limits.ts";
import type { LiveSocket } from "./live_socket.ts";
import { MessageRate } from "./message_rate.ts";

export interface PublishOptions {
  socket: LiveSocket;
  stream: string;
  surface: Surface;
  clock: Clock;
  log: Log;
  first_message_ms: number;
}

export class PublishSession {
  readonly socket: LiveSocket;
  readonly #options: PublishOptions;
  #publisher: Publisher | undefined;
  #format: PushFormat | undefined;
  #flood = { count: 0, at_ms: 0 };
  readonly #rate: MessageRate;
  /** Ends the wait for the first message. */
  #begun = () => {};

  constructor(options: PublishOptions) {
    const { socket, surface, stream } = options;
    this.socket = socket;
    this.#options = options;
    this.#rate = new MessageRate(options.clock, http_limits.publisher_rate);
    socket.onMessage((data, binary) => binary ? this.#onMedia(data) : this.#onText(data));
    socket.gone.addEventListener("abort", () => this.#end(), { once: true });
    try {
      surface.get(stream);
      void this.#awaitFirst();
    } catch (error) {
      this.#refuse(error);
    }
  }

  goAway(reason: string): void {
    this.#send({ type: "goaway", reason });
  }

  async #awaitFirst(): Promise<void> {
    const { clock, first_message_ms, socket } = this.#options;
    const begun = new AbortController();
    this.#begun = () => begun.abort();
    socket.gone.addEventListener("abort", this.#begun, { once: true });
    await clock.sleep(first_message_ms, begun.signal);
    if (this.#publisher === undefined) {
      socket.close(close_codes.bad_message, `no publish message within ${first_message_ms / 1000} s`);
    }
  }

  #onText(data: Uint8Array): void {
    const message = parseText(data);
    if (!message) {
      return this.#refuse(new HttpError("bad_request", "Cannot publish: the text message is not valid."));
    }
    if (message.type === "end") {
      this.#end(true);
      return this.socket.close(1000, "ended");
    }
    if (this.#publisher) {
      return this.#refuse(new HttpError("bad_request", "Cannot publish: it was said already."));
    }
    this.#begin(message.format);
  }

  #begin(format: PushFormat): void {
    const { surface, stream } = this.#options;
    try {
      // Credits may come at once; the sender is told first that it was accepted.
      let early: number | undefined = 0;
      this.#publisher = surface.publish(stream, {
        onCredit: (messages) => {
          if (early === undefined) this.#send({ type: "credit", messages });
          else early += messages;
        },
        onClosed: (error) => this.#refuse(error),
      });
      this.#send({ type: "accepted", v: 1, stream });
      if (early > 0) this.#send({ type: "credit", messages: early });
      early = undefined;
    } catch (error) {
      return this.#refuse(error);
    }
    this.#format = format;
    this.#begun();
  }

  #onMedia(data: Uint8Array): void {
    if (!this.#publisher) {
      return this.#refuse(new HttpError("bad_request", "Cannot take media: say publish first."));
    }
    if (!this.#rate.take()) return this.#closeFlood();
    const parsed = parsePush(data);
    if (typeof parsed === "string") {
      return this.#refuse(new HttpError("bad_request", `Cannot take media: ${parsed}.`));
    }
    const { header, payload } = parsed;
    if (header.codec !== this.#format) {
      const text = `Cannot take media: ${header.codec} came, ${this.#format} was announced.`;
      return this.#refuse(new HttpError("bad_request", text));
    }
    const { codec, key_frame, sequence } = header;
    const t_media_us = Number(header.t_media_us);
    const verdict = this.#publisher.offer({ codec, key_frame, t_media_us, sequence, payload });
    if (verdict.taken) return;
    if ("error" in verdict) return this.#refuse(verdict.error);
    // A few are forgiven whatever the reason: credits and messages cross on the way.
    this.#onFlood();
  }

  /** The surface has dropped and counted it; this only ends what never stops. */
  #onFlood(): void {
    const now_ms = this.#options.clock.monotonic_ms();
    const count = now_ms - this.#flood.at_ms < http_limits.flood_calm_ms ? this.#flood.count + 1 : 1;
    this.#flood = { count, at_ms: now_ms };
    if (count >= http_limits.flood_messages_max) this.#closeFlood();
  }

  #closeFlood(): void {
    this.#end();
    this.socket.close(close_codes.too_many, "publisher floods");
  }

  #refuse(thrown: unknown, close_code?: number): void {
    const problem = describeError(thrown);
    if (problem.status >= 500) {
      this.#options.log.error("publish.failed", { stream: this.#options.stream, error: thrown });
    }
    this.#send({ type: "refused", error: problem.error });
    this.#end();
    this.socket.close(close_code ?? problem.close, problem.error.message);
  }

  #end(for_good = false): void {
    this.#begun();
    const publisher = this.#publisher;
    this.#publisher = undefined;
    publisher?.detach(for_good);
  }

  #send(message: PublishReply): void {
    this.socket.sendJson(message);
  }
}

function parseText(data: Uint8Array): PublisherMessage | undefined {
  try {
    return publisher_message_schema.parse(JSON.parse(new TextDecoder().decode(data)));
  } catch {
    // Which of the two it was does not help a sender: there are only two messages.
    return undefined;
  }
}
