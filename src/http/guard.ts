// The door: which Host, which Origin and which token may make a request or open a socket. Pure decisions; app.ts and
// upgrade.ts ask here with the same words, so that REST and sockets cannot differ. Must not know routes' meaning.
import { isIP } from "node:net";
import { ConfigError } from "../errors.ts";
import { type Auth, readSessionCookie } from "./auth.ts";
import { HttpError } from "./http_error.ts";
import { http_limits } from "./limits.ts";

export interface GuardOptions {
  auth: Auth;
  /** The address the server is bound to. */
  host: string;
  /** Names people may use in the address bar besides loopback and the bound address, without port. */
  allowed_hosts?: readonly string[];
  /** Whole origins (scheme, host, port) that may act besides the server's own, e.g. of a TLS proxy. */
  allowed_origins?: readonly string[];
}

/** One request or upgrade, as far as the door looks at it. */
export interface Knock {
  method: string;
  path: string;
  upgrade: boolean;
  /** Of the peer, for counting wrong tokens. */
  address: string;
  header(name: string): string | undefined;
}

/** How somebody was let in. A session is looked at again while a long connection lives. */
export interface Entry {
  session?: string;
}

export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, "").toLowerCase();
  return name === "localhost" || name.endsWith(".localhost") || name === "::1" ||
    (isIP(name) === 4 && name.startsWith("127."));
}

/** Throws unless it is safe to listen there: other machines may only come in with a token. */
export function checkBind(host: string, token: string | undefined): void {
  if (token !== undefined && token.length < http_limits.token_chars_min) {
    throw new ConfigError([
      `token has ${token.length} characters: use ${http_limits.token_chars_min} or more, for example from \`openssl rand -hex 24\``,
    ]);
  }
  if (token === undefined && !isLoopback(host)) {
    throw new ConfigError([
      `host "${host}" lets other machines in: set a token of ${http_limits.token_chars_min} or more characters, or use host 127.0.0.1`,
    ]);
  }
}

/** Everything but these is behind the token; static files are what no route claims. */
const guarded = /^\/(api|v1|ws|docs|metrics|readyz|openapi\.json)(\/|$)/;

function isOpen(knock: Knock): boolean {
  // Login and the question whether one is needed must be reachable without it.
  if (knock.path === "/api/v1/session") return knock.method === "GET" || knock.method === "POST";
  return !guarded.test(knock.path);
}

function changes(knock: Knock): boolean {
  return knock.upgrade || !["GET", "HEAD", "OPTIONS"].includes(knock.method);
}

export class Guard {
  readonly #auth: Auth;
  readonly #hosts: Set<string>;
  readonly #origins: Set<string>;
  /** Bound to every address: any literal IP is fine, because a rebinding attack needs a name. */
  readonly #any_ip: boolean;

  constructor({ auth, host, allowed_hosts = [], allowed_origins = [] }: GuardOptions) {
    this.#auth = auth;
    this.#hosts = new Set([host, ...allowed_hosts].map((name) => name.replace(/^\[|\]$/g, "").toLowerCase()));
    this.#origins = new Set(allowed_origins);
    this.#any_ip = host === "0.0.0.0" || host === "::" || host === "[::]";
  }

  /** Throws forbidden_host, forbidden_origin, unauthorized or rate_limited. */
  admit(knock: Knock): Entry {
    const own_origin = this.#checkHost(knock.header("host"));
    const bearer = /^Bearer +(\S+) *$/i.exec(knock.header("authorization") ?? "")?.[1];
    if (changes(knock)) this.#checkOrigin(knock, own_origin, bearer !== undefined);
    if (!this.#auth.required || isOpen(knock)) return {};
    if (bearer !== undefined) {
      this.#auth.checkBearer(bearer, knock.address);
      return {};
    }
    const session = readSessionCookie(knock.header("cookie"));
    if (this.#auth.knows(session)) return { session };
    throw new HttpError(
      "unauthorized",
      "Cannot let you in: sign in, or send Authorization: Bearer <token>.",
      {
        headers: { "www-authenticate": "Bearer" },
      },
    );
  }

  /** False when the session it came in with has ended. */
  stillWelcome(entry: Entry): boolean {
    return entry.session === undefined || this.#auth.knows(entry.session);
  }

  /** The origin a page of this server has, by its Host header. The server itself speaks plain HTTP. */
  #checkHost(header: string | undefined): string {
    const url = URL.parse(`http://${header}`);
    if (header && url && url.pathname === "/" && !url.username && !url.search && !url.hash) {
      const name = url.hostname.replace(/^\[|\]$/g, "");
      if (isLoopback(name) || this.#hosts.has(name) || (this.#any_ip && isIP(name))) return url.origin;
    }
    throw new HttpError(
      "forbidden_host",
      `Cannot serve host "${header ?? ""}": add it to allowed_hosts if it is this server's name.`,
    );
  }

  #checkOrigin(knock: Knock, own_origin: string, bearer: boolean): void {
    const origin = knock.header("origin");
    if (origin === undefined) {
      // A page cannot add the Authorization header across origins; a program without a token says it is no browser.
      if (bearer || (!this.#auth.required && knock.header("sec-fetch-site") === undefined)) return;
      throw new HttpError(
        "forbidden_origin",
        "Cannot act: the request has neither an Origin nor a bearer token.",
      );
    }
    if (origin === own_origin || this.#origins.has(origin)) return;
    throw new HttpError(
      "forbidden_origin",
      `Cannot act for a page of "${origin}": add it to allowed_origins if it is yours.`,
    );
  }
}
