// Who may come in: one token for machines, sessions for browsers that have shown it. Nothing is kept on disk.
// Must not know routes.
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { Clock } from "../clock.ts";
import { HttpError } from "./http_error.ts";

export const session_cookie = "gander_session";
const sessions_max = 1_000;
export const session_ms = 7 * 24 * 3_600_000;

/** Wrong tokens of one address per minute before it must wait. Typing is limited harder than an old script. */
const login_failures_max = 10;
const bearer_failures_max = 300;
const failure_window_ms = 60_000;
/** Addresses remembered; the oldest is forgotten. */
const addresses_max = 4_096;

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

  /** Throws when this address failed too often. Called before any comparison. */
  check(address: string): void {
    const entry = this.#failures.get(address);
    if (!entry) return;
    const left_ms = entry.since_ms + failure_window_ms - this.clock.monotonic_ms();
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
    if (this.#failures.size > addresses_max) this.#failures.delete(this.#failures.keys().next().value!);
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
    this.#logins = new FailureCounter(login_failures_max, clock);
    this.#bearers = new FailureCounter(bearer_failures_max, clock);
  }

  get required(): boolean {
    return this.#token !== undefined;
  }

  /** Equal length (both are digests) and constant time. */
  #matches(token: string): boolean {
    return this.#token !== undefined && timingSafeEqual(digest(token), this.#token);
  }

  /** Throws unauthorized, or rate_limited when the address guessed too often. */
  checkBearer(token: string, address: string): void {
    this.#bearers.check(address);
    if (this.#matches(token)) return;
    this.#bearers.add(address);
    throw new HttpError("unauthorized", "Cannot let you in: the bearer token is not the one of this server.");
  }

  /** The id of a new session. */
  login(token: string, address: string): string {
    this.#logins.check(address);
    if (!this.#matches(token)) {
      this.#logins.add(address);
      throw new HttpError("unauthorized", "Cannot sign in: the token is not the one of this server.");
    }
    const id = randomBytes(32).toString("base64url");
    this.#sessions.set(keyOf(id), this.#clock.monotonic_ms() + session_ms);
    if (this.#sessions.size > sessions_max) this.#sessions.delete(this.#sessions.keys().next().value!);
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
