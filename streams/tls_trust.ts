// Certificates that nobody vouches for: what the TLS libraries say about them, in words, and where this machine keeps
// the roots it trusts. Must not know sources or policy.
import { source_limits } from "./limits.ts";

/** Deno's own words (rustls), and those of OpenSSL for the same. */
const flaws: readonly [RegExp, string][] = [
  [/not ?valid ?for ?name|ALTNAME_INVALID|does not match/i, "it is for another name"],
  [/expired/i, "it has expired"],
  [/not ?valid ?yet|NOT_YET_VALID/i, "it is not valid yet"],
  [/Revoked/i, "it was revoked"],
  [
    /UnknownIssuer|CaUsedAsEndEntity|SELF_SIGNED|self.signed|UNABLE_TO_|unable to (?:get|verify)/i,
    "self-signed, or signed by nobody that this machine trusts",
  ],
  [/invalid peer certificate|CERT_|certificate verify failed/i, "it is not valid"],
];

/** Why a connection failed over the server's certificate, as the end of a sentence; undefined for other failures. */
export function untrustedReason(error: unknown): string | undefined {
  const text = error instanceof Error
    ? `${(error as { code?: string }).code ?? ""} ${error.message}`
    : String(error);
  const flaw = flaws.find(([pattern]) => pattern.test(text))?.[1];
  return flaw && `its certificate is not trusted (${flaw})`;
}

/** Debian and its kin, Fedora, SUSE, Alpine and macOS. */
const root_files = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/**
 * The roots for the decoder, which has a TLS library of its own; some builds of it know of no root by themselves.
 * NODE_EXTRA_CA_CERTS names authorities that our own half trusts besides the public ones: the decoder shall know them.
 */
export async function rootsFile(): Promise<string | undefined> {
  const own = ownAuthority();
  if (own !== undefined) return own;
  for (const path of root_files) {
    const found = await Deno.stat(path).then(({ isFile }) => isFile, () => false);
    if (found) return path;
  }
}

function ownAuthority(): string | undefined {
  try {
    return Deno.env.get("NODE_EXTRA_CA_CERTS") || undefined;
  } catch {
    return undefined; // no permission to ask
  }
}

/** Throws when the server behind this fresh connection shows no certificate for `host` that is trusted. Closes it. */
export async function checkCertificate(
  connection: Deno.TcpConn,
  host: string,
  signal: AbortSignal,
): Promise<void> {
  let open: Deno.Conn = connection;
  const close = () => {
    try {
      open.close();
    } catch { /* the handshake closed it */ }
  };
  const timer = setTimeout(close, source_limits.connect_ms_max);
  signal.addEventListener("abort", close, { once: true });
  try {
    const secure = await Deno.startTls(connection, { hostname: host.replace(/^\[|\]$/g, "") });
    open = secure;
    await secure.handshake();
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", close);
    close();
  }
}
