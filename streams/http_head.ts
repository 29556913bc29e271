// The first bytes of an HTTP source: follows redirects one by one, asks the policy at every hop, connects to the
// address that was checked. Must not know media formats or ffmpeg.
import http from "node:http";
import https from "node:https";
import { isIP } from "node:net";
import {
  cancellable,
  resolveAllowed,
  type Resolver,
  type SourcePolicy,
  verifiesTls,
} from "./address_policy.ts";
import { SourceError } from "./errors.ts";
import { authorization } from "./http_auth.ts";
import { source_limits } from "./limits.ts";
import { type NetworkLocation, parseSource, percentDecoded } from "./source_url.ts";
import { untrustedReason } from "./tls_trust.ts";

export interface HttpHead {
  /** Where the redirects led. */
  location: NetworkLocation;
  bytes: Uint8Array;
  content_type: string;
  /** A certificate had to be trusted on the way, and was. */
  verified: boolean;
  /** The server said how long it is: a recording, not a live stream. */
  finite: boolean;
}

interface Answer extends Omit<HttpHead, "location" | "verified"> {
  status: number;
  redirect: string | undefined;
  challenge: string | undefined;
}

export interface HeadOptions {
  /** Reading stops here; `sniff_bytes` unless said. */
  bytes_max?: number;
  policy: SourcePolicy;
  resolve: Resolver;
  signal: AbortSignal;
}

/** Reads the head of a stream. Throws SourceError. */
export async function readHttpHead(start: NetworkLocation, options: HeadOptions): Promise<HttpHead> {
  const fail = (reason: string, code: "unreachable" | "denied" = "unreachable") =>
    new SourceError(code, start.label, reason);
  const resolve = cancellable(options.resolve, options.signal);
  let location = start;
  let verified = false;
  for (let hop = 0; hop <= source_limits.redirects_max; hop++) {
    const resolved = await resolveAllowed(location.host, options.policy, resolve);
    if ("refused" in resolved) {
      throw fail(hop ? `it redirects, and ${resolved.refused}` : resolved.refused, "denied");
    }
    if ("failed" in resolved) throw fail(resolved.failed);
    verified ||= location.url.protocol === "https:" && verifiesTls(resolved.address, options.policy);
    let answer = await ask(location, resolved.address, options);
    const { username, password } = location.url;
    if (answer.status === 401 && answer.challenge && username !== "") {
      const header = authorization(answer.challenge, {
        user: percentDecoded(username),
        password: percentDecoded(password),
        method: "GET",
        uri: location.url.pathname + location.url.search,
        client_nonce: crypto.randomUUID().replaceAll("-", ""),
      });
      if (header) answer = await ask(location, resolved.address, options, header);
    }
    if (answer.status >= 200 && answer.status < 300) return { ...answer, location, verified };
    if (answer.status === 401) {
      throw fail("the server asks for a user name and a password that it accepts", "denied");
    }
    if (answer.status === 403) throw fail("the server forbids it (403)", "denied");
    if (answer.status < 300 || answer.status >= 400 || !answer.redirect) {
      throw fail(`the server answered ${answer.status}`);
    }
    location = redirected(answer.redirect, location, options.policy, fail);
  }
  throw fail("it redirects too often");
}

type Fail = (reason: string, code?: "unreachable" | "denied") => SourceError;

function redirected(
  target: string,
  from: NetworkLocation,
  policy: SourcePolicy,
  fail: Fail,
): NetworkLocation {
  let next;
  try {
    next = parseSource(new URL(target, from.url).href, policy);
  } catch (error) {
    throw fail(
      `it redirects, and ${error instanceof SourceError ? error.reason : "the target is not a URL"}`,
      "denied",
    );
  }
  if (next.kind !== "http") throw fail("it redirects to something that is not HTTP", "denied");
  return next;
}

function ask(to: NetworkLocation, address: string, options: HeadOptions, auth?: string): Promise<Answer> {
  const { signal, bytes_max = source_limits.sniff_bytes } = options;
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const secure = to.url.protocol === "https:";
  const request = (secure ? https : http).request({
    // The checked address, not the name: a second look-up could answer something else.
    host: address,
    port: to.port,
    path: to.url.pathname + to.url.search,
    headers: {
      host: to.url.host,
      "user-agent": "gander",
      connection: "close",
      ...auth && { authorization: auth },
    },
    agent: false,
    ...secure && {
      servername: isIP(to.host) ? undefined : to.host,
      rejectUnauthorized: verifiesTls(address, options.policy),
    },
  });
  const stop = (reason: string) => {
    request.destroy();
    reject(new SourceError("unreachable", to.label, reason));
  };
  const fail = (error: unknown) => {
    const untrusted = untrustedReason(error);
    if (untrusted === undefined) return stop(connectReason(error));
    request.destroy();
    reject(new SourceError("denied", to.label, untrusted));
  };
  const timer = setTimeout(() => stop("no answer in time"), source_limits.connect_ms_max);
  const onAbort = () => stop("no answer in time");
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  request.on("error", fail);
  request.on("response", (response) => {
    const chunks: Uint8Array[] = [];
    let length = 0;
    const done = () => {
      const bytes = new Uint8Array(length);
      let offset = 0;
      for (const chunk of chunks) {
        bytes.set(chunk, offset);
        offset += chunk.byteLength;
      }
      resolve({
        bytes,
        content_type: response.headers["content-type"] ?? "",
        finite: response.headers["content-length"] !== undefined,
        status: response.statusCode ?? 0,
        redirect: response.headers.location,
        challenge: response.headers["www-authenticate"],
      });
      request.destroy();
    };
    if ((response.statusCode ?? 0) >= 300) return done();
    response.on("data", (chunk: Uint8Array) => {
      chunks.push(chunk);
      length += chunk.byteLength;
      if (length >= bytes_max) done();
    });
    response.on("end", done);
    response.on("error", fail);
  });
  request.end();
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  });
}

/** A failed connection in words. */
export function connectReason(error: unknown): string {
  const text = error instanceof Error
    ? `${(error as { code?: string }).code ?? ""} ${error.message}`
    : String(error);
  if (/ECONNREFUSED|connection refused/i.test(text)) return "connection refused";
  if (/ETIMEDOUT|timed out/i.test(text)) return "no answer in time";
  if (/EHOSTUNREACH|ENETUNREACH|no route|unreachable/i.test(text)) return "the host cannot be reached";
  if (/ECONNRESET|EPIPE|reset|hang up|aborted|broken pipe/i.test(text)) return "the connection was closed";
  if (/certificate|tls|ssl/i.test(text)) return "the encrypted connection failed";
  return "the connection failed";
}
