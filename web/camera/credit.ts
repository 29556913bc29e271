// The sender's side of credits: without credit a picture is dropped here, at once, and counted. Old pictures are
// worthless, so nothing waits. Pure; knows no socket.

export class CreditGate {
  #credits = 0;
  #epoch = 0;
  sent_count = 0;
  dropped_count = 0;

  get credits(): number {
    return this.#credits;
  }

  /** A new socket begins without credit; what was reserved under the old one is void. */
  begin(): void {
    this.#credits = 0;
    this.#epoch++;
  }

  grant(messages: number): void {
    this.#credits += Math.max(0, messages);
  }

  /** Spends one credit before the work of encoding is done: a ticket, or undefined and one more dropped. */
  reserve(): number | undefined {
    if (this.#credits === 0) {
      this.dropped_count++;
      return undefined;
    }
    this.#credits--;
    return this.#epoch;
  }

  /** True when the ticket still holds; the message then counts as sent, else as dropped. */
  redeem(ticket: number): boolean {
    const valid = ticket === this.#epoch;
    if (valid) this.sent_count++;
    else this.dropped_count++;
    return valid;
  }

  /** An encoder that kept the picture gives its credit back. */
  release(ticket: number): void {
    if (ticket === this.#epoch) this.#credits++;
    this.dropped_count++;
  }
}
