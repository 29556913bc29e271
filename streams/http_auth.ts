// The answer to an HTTP 401: Basic, and Digest as cameras ask for it. Pure. Must not know sockets.
import { createHash } from "node:crypto";
import { Buffer } from "node:buffer";

export interface AuthRequest {
  user: string;
  password: string;
  method: string;
  /** Path and query as sent. */
  uri: string;
  /** Sixteen hex digits or more, fresh for every request. */
  client_nonce: string;
}

const md5 = (text: string) => createHash("md5").update(text).digest("hex");

/** An Authorization header for this WWW-Authenticate header; undefined for a scheme that is not known here. */
export function authorization(challenge: string, request: AuthRequest): string | undefined {
  const { user, password, method, uri, client_nonce } = request;
  if (/^basic\b/i.test(challenge)) return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  if (!/^digest\b/i.test(challenge)) return undefined;
  const field = (name: string) => {
    const match = new RegExp(`(?:^|[\\s,])${name}=(?:"([^"]*)"|([^\\s,]*))`, "i").exec(challenge);
    return match?.[1] ?? match?.[2];
  };
  if ((field("algorithm") ?? "MD5").toUpperCase() !== "MD5") return undefined;
  const realm = field("realm") ?? "", nonce = field("nonce") ?? "", opaque = field("opaque");
  const who = md5(`${user}:${realm}:${password}`), what = md5(`${method}:${uri}`);
  const with_qop = (field("qop") ?? "").split(",").some((qop) => qop.trim() === "auth");
  const response = md5(
    with_qop ? `${who}:${nonce}:00000001:${client_nonce}:auth:${what}` : `${who}:${nonce}:${what}`,
  );
  const parts = [`username="${user}"`, `realm="${realm}"`, `nonce="${nonce}"`, `uri="${uri}"`];
  parts.push(`response="${response}"`, "algorithm=MD5");
  if (with_qop) parts.push("qop=auth", "nc=00000001", `cnonce="${client_nonce}"`);
  if (opaque !== undefined) parts.push(`opaque="${opaque}"`);
  return `Digest ${parts.join(", ")}`;
}
