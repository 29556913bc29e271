// One publisher's connection as the source sees it: what may be said to it and what it may say. Must not know decoders
// or how the messages travel.
import type { SourceError } from "./errors.ts";
import { type Checked, PushIntake } from "./push_intake.ts";
import type { PushMessage } from "./push_message.ts";

/** Why a message was dropped. It was counted; the connection stays. */
export type PushDrop = "not_running" | "no_credit" | "out_of_order" | "waiting_for_key";

export type PushVerdict =
  | { taken: true }
  | { taken: false; dropped: PushDrop }
  /** The message breaks the rules: close the connection with this. The session is over. */
  | { taken: false; error: SourceError };

export interface PushConnection {
  /** The publisher may send this many messages more. */
  onCredit(messages: number): void;
  /** This session is over for a reason of ours: taken over, undecodable, stream stopped. Not called after `detach`. */
  onClosed(error: SourceError): void;
}

export interface PushSession {
  offer(message: PushMessage): PushVerdict;
  /** Messages that may be sent now. */
  credits(): number;
  /** The publisher is gone; `for_good` when it said goodbye. Calling it again does nothing. */
  detach(for_good?: boolean): void;
}

/** What a session needs of its source. */
export interface SessionOwner {
  readonly label: string;
  take(session: Session, checked: Checked): PushVerdict;
  drop(reason: PushDrop): PushVerdict;
  lose(session: Session, for_good: boolean): void;
}

/** One publisher's connection. Only the newest is heard. */
export class Session implements PushSession {
  readonly intake: PushIntake;
  closed = false;
  last_message_ms: number | undefined;
  /** When messages began to come without a picture coming out. */
  starving_since_ms: number | undefined;

  constructor(readonly owner: SessionOwner, readonly connection: PushConnection) {
    this.intake = new PushIntake(owner.label, (messages) => {
      if (!this.closed) connection.onCredit(messages);
    });
  }

  offer(message: PushMessage): PushVerdict {
    if (this.closed) return this.owner.drop("not_running");
    return this.owner.take(this, this.intake.check(message));
  }

  credits(): number {
    return this.closed ? 0 : this.intake.credits;
  }

  detach(for_good = false) {
    if (this.closed) return;
    this.closed = true;
    this.owner.lose(this, for_good);
  }

  /** Ends it from our side. */
  close(error: SourceError) {
    if (this.closed) return;
    this.closed = true;
    this.connection.onClosed(error);
  }
}
