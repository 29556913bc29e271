// Which network addresses a source may lead to. Pure, but for `resolveAllowed`, which is handed a resolver.
// Must not know URLs, ffmpeg or sockets.

export interface SourcePolicy {
  /** Files on this machine: none, all, or only below these directories. */
  allow_files: boolean | readonly string[];
  /** 127/8, ::1, 0/8. */
  allow_loopback: boolean;
  /** 10/8, 172.16/12, 192.168/16, 100.64/10, fc00::/7: where cameras live. */
  allow_private: boolean;
  /**
   * Whose TLS certificates must be trusted: servers at public addresses (the default), everybody, or nobody. Cameras on
   * a private network sign their own.
   */
  verify_tls?: "public" | "always" | "never";
}

export type AddressClass = "public" | "private" | "loopback" | "forbidden";

function ipv4Octets(text: string): number[] | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  const octets = match?.slice(1).map(Number);
  return octets?.every((octet) => octet <= 255) ? octets : undefined;
}

function ipv6Groups(text: string): number[] | undefined {
  const plain = text.replace(/^\[|\]$/g, "").replace(/%.*$/, "");
  if (!plain.includes(":")) return undefined;
  // The URL parser is the only IPv6 parser here: two parsers that disagree are how such guards are passed.
  let canonical: string;
  try {
    canonical = new URL(`http://[${plain}]/`).hostname.slice(1, -1);
  } catch {
    return undefined;
  }
  const [left, right] = canonical.split("::");
  const parts = (half: string | undefined) => half ? half.split(":").map((group) => parseInt(group, 16)) : [];
  const head = parts(left), tail = parts(right);
  return right === undefined ? head : [...head, ...Array(8 - head.length - tail.length).fill(0), ...tail];
}

function classifyIpv4([a, b]: readonly number[]): AddressClass {
  if (a === 127 || a === 0) return "loopback";
  // Link-local holds the metadata services of every cloud; 224/4 is multicast, 240/4 reserved and broadcast.
  if (a === 169 && b === 254 || a >= 224) return "forbidden";
  if (a === 10 || a === 172 && b >= 16 && b <= 31 || a === 192 && b === 168) return "private";
  if (a === 100 && b >= 64 && b <= 127 || a === 198 && (b === 18 || b === 19)) return "private";
  // 100.100.100.200 and 192.0.0.192 are metadata services too; the first is private above, the second is not.
  if (a === 192 && b === 0) return "forbidden";
  return "public";
}

function classifyIpv6(groups: readonly number[]): AddressClass {
  const embedded = (index: number) =>
    classifyIpv4([groups[index] >> 8, groups[index] & 255, groups[index + 1] >> 8, groups[index + 1] & 255]);
  const leading = (count: number) => groups.slice(0, count).every((group) => group === 0);
  if (leading(7) && groups[7] <= 1) return "loopback";
  // An IPv4 address in IPv6 clothes is judged as what it is: mapped, compatible, NAT64, 6to4.
  if (leading(5) && groups[5] === 0xffff || leading(6)) return embedded(6);
  if (groups[0] === 0x64 && groups[1] === 0xff9b) return embedded(6);
  if (groups[0] === 0x2002) return embedded(1);
  if (groups[0] === 0x2001 && groups[1] === 0) return "forbidden";
  if ((groups[0] & 0xffc0) === 0xfe80 || (groups[0] & 0xff00) === 0xff00) return "forbidden";
  if (groups[0] === 0xfd00 && groups[1] === 0x0ec2) return "forbidden";
  if ((groups[0] & 0xfe00) === 0xfc00 || (groups[0] & 0xffc0) === 0xfec0) return "private";
  return "public";
}

/** The class of a literal address, or undefined when the text is a name. */
export function classifyAddress(text: string): AddressClass | undefined {
  const octets = ipv4Octets(text);
  if (octets) return classifyIpv4(octets);
  const groups = ipv6Groups(text);
  return groups && classifyIpv6(groups);
}

/** Why this address may not be opened, as the end of a sentence; undefined when it may. */
export function refusal(address: string, policy: SourcePolicy): string | undefined {
  switch (classifyAddress(address)) {
    case "public":
      return undefined;
    case "private":
      return policy.allow_private ? undefined : "private addresses are not allowed";
    case "loopback":
      return policy.allow_loopback ? undefined : "addresses of this machine are not allowed";
    default:
      return "link-local, metadata, multicast and reserved addresses are never allowed";
  }
}

/** Whether the server at this checked address must show a certificate that is trusted. */
export function verifiesTls(address: string, { verify_tls = "public" }: SourcePolicy): boolean {
  if (verify_tls !== "public") return verify_tls === "always";
  const sort = classifyAddress(address);
  return sort !== "private" && sort !== "loopback";
}

export type Resolver = (host: string) => Promise<string[]>;

/** A resolver that gives up when the signal aborts; a look-up that hangs must not hold back an end. */
export function cancellable(resolve: Resolver, signal: AbortSignal): Resolver {
  return (host) =>
    new Promise((done, fail) => {
      const stop = () => fail(new Error("cancelled"));
      if (signal.aborted) return stop();
      signal.addEventListener("abort", stop, { once: true });
      resolve(host).then(done, fail).finally(() => signal.removeEventListener("abort", stop));
    });
}

export type Resolved = { address: string } | { refused: string } | { failed: string };

/** One allowed address of the host to connect to. Every address must pass: a name is as good as its worst one. */
export async function resolveAllowed(
  host: string,
  policy: SourcePolicy,
  resolve: Resolver,
): Promise<Resolved> {
  const bare = host.replace(/^\[|\]$/g, "");
  const literal = classifyAddress(bare) !== undefined;
  let addresses: string[];
  try {
    addresses = literal ? [bare] : await resolve(bare);
  } catch {
    return { failed: "the name cannot be resolved" };
  }
  if (addresses.length === 0) return { failed: "the name has no address" };
  for (const address of addresses) {
    const reason = refusal(address, policy);
    if (reason) return { refused: reason };
  }
  // IPv4 first: cameras announce IPv6 addresses that nothing listens on.
  return { address: addresses.find((address) => !address.includes(":")) ?? addresses[0] };
}
