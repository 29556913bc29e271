// A Publisher that a test grants credit to and looks into.
import type { Publisher, PushFormat, PushMessage } from "../../src/pipeline/surface.ts";

export class FakePublisher implements Publisher {
  taken: PushMessage[] = [];
  credit = 0;
  refused = 0;
  closed: string | undefined;
  verdict: "taken" | "too_large" | "damaged" = "taken";
  #grant: (messages: number) => void = () => {};
  constructor(readonly format: PushFormat, readonly onClose: () => void) {}

  offer(message: PushMessage): ReturnType<Publisher["offer"]> {
    if (this.verdict !== "taken") return this.verdict;
    if (this.credit === 0) {
      this.refused++;
      return "no_credit";
    }
    this.credit--;
    this.taken.push(message);
    return "taken";
  }
  onCredit(grant: (messages: number) => void): void {
    this.#grant = grant;
    this.grant(2);
  }
  grant(messages: number): void {
    this.credit += messages;
    this.#grant(messages);
  }
  close(reason: string): void {
    this.closed = reason;
    this.onClose();
  }
}
