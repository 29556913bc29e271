// Who may come in: one token for machines, sessions for browsers that have shown it. Nothing is kept on disk.
// Must not know routes.
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { Clock } from "../clock.ts";
import { HttpError } from "./http_error.ts";
import { http_limits } from "./limits.ts";

export const session_cookie = "gander_session";

export interface AuthOptions {
  /** Without one everybody who reaches the port is in; checkBind allows that on loopback only. */
  token: string | undefined;
  clock: Clock;
}

function digest(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}

/** Sessions are looked up by digest, so that the time of the lookup says nothing about the id. */
function keyOf(id: string): string {
  return createHash("sha256").update(id).digest("hex");
}

class FailureCounter {
  #failures = new Map<string, { count: number; since_ms: number }>();
  constructor(readonly failures_max: number, readonly clock: Clock) {}

  /** Throws when this address failed too often. */
  check(address: string): void {
    const entry = this.#failures.get(address);
    if (!entry) return;
    const left_ms = entry.since_ms + http_limits.failure_window_ms - this.clock.monotonic_ms();
    if (left_ms <= 0) return void this.#failures.delete(address);
    if (entry.count < this.failures_max) return;
    throw new HttpError(
      "rate_limited",
      `Cannot check the token: ${entry.count} wrong ones came from your address.`,
      {
        retry: "backoff",
        headers: { "retry-after": String(Math.ceil(left_ms / 1000)) },
      },
    );
  }

  add(address: string): void {
    const entry = this.#failures.get(address) ?? { count: 0, since_ms: this.clock.monotonic_ms() };
    entry.count++;
    this.#failures.set(address, entry);
    if (this.#failures.size > http_limits.addresses_max) {
      this.#failures.delete(this.#failures.keys().next().value!);
    }
  }
}

export class Auth {
  readonly #token: Uint8Array | undefined;
  /** Digest of the session id → when it ends, monotonic ms. In order of creation. */
  readonly #sessions = new Map<string, number>();
  readonly #clock: Clock;
  readonly #logins: FailureCounter;
  readonly #bearers: FailureCounter;

  constructor({ token, clock }: AuthOptions) {
    this.#token = token === undefined ? undefined : digest(token);
    this.#clock = clock;
    this.#logins = new FailureCounter(http_limits.login_failures_max, clock);
    this.#bearers = new FailureCounter(http_limits.bearer_failures_max, clock);
  }

  get required(): boolean {
    return this.#token !== undefined;
  }

  /** Equal length (both are digests) and constant time. */
  #matches(token: string): boolean {
    return this.#token !== undefined && timingSafeEqual(digest(token), this.#token);
  }

  /**
   * Throws unauthorized, or rate_limited when the address guessed too often. The right token always comes in: behind a
   * proxy everybody has one address, and a stranger's guesses must not lock the owner out.
   */
  checkBearer(token: string, address: string): void {
    if (this.#matches(token)) return;
    this.#bearers.check(address);
    this.#bearers.add(address);
    throw new HttpError("unauthorized", "Cannot let you in: the bearer token is not the one of this server.");
  }

  /** The id of a new session. Throws like checkBearer. */
  login(token: string, address: string): string {
    if (!this.#matches(token)) {
      this.#logins.check(address);
      this.#logins.add(address);
      throw new HttpError("unauthorized", "Cannot sign in: the token is not the one of this server.");
    }
    const id = randomBytes(32).toString("base64url");
    this.#sessions.set(keyOf(id), this.#clock.monotonic_ms() + http_limits.session_ms);
    if (this.#sessions.size > http_limits.sessions_max) {
      this.#sessions.delete(this.#sessions.keys().next().value!);
    }
    return id;
  }

  logout(id: string): void {
    this.#sessions.delete(keyOf(id));
  }

  /** True while the session lives. */
  knows(id: string | undefined): boolean {
    if (id === undefined) return false;
    const key = keyOf(id);
    const ends_ms = this.#sessions.get(key);
    if (ends_ms === undefined) return false;
    if (ends_ms > this.#clock.monotonic_ms()) return true;
    this.#sessions.delete(key);
    return false;
  }
}

/** The session id in a Cookie header, if any. */
export function readSessionCookie(header: string | null | undefined): string | undefined {
  for (const part of header?.split(";") ?? []) {
    const [name, value] = part.trim().split("=", 2);
    if (name === session_cookie && value) return value;
  }
  return undefined;
}
