// A Publisher that a test grants credit to and looks into.
import type { Publisher, PublisherEvents, PushMessage, PushVerdict } from "../../src/pipeline/surface.ts";

export class FakePublisher implements Publisher {
  taken: PushMessage[] = [];
  credit = 0;
  refused = 0;
  /** How it went: undefined while it is here, true when it said goodbye. */
  left_for_good: boolean | undefined;
  verdict: PushVerdict = { taken: true };

  constructor(readonly events: PublisherEvents, readonly onDetach: () => void) {
    this.grant(2);
  }

  offer(message: PushMessage): PushVerdict {
    if (!this.verdict.taken) return this.verdict;
    if (this.credit === 0) {
      this.refused++;
      return { taken: false, dropped: "no_credit" };
    }
    this.credit--;
    this.taken.push(message);
    return { taken: true };
  }
  grant(messages: number): void {
    this.credit += messages;
    this.events.onCredit(messages);
  }
  detach(for_good: boolean): void {
    this.left_for_good = for_good;
    this.onDetach();
  }
}
