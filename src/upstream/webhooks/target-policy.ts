import { lookup as dnsLookup } from "node:dns/promises";
import { isIP, type LookupFunction } from "node:net";
import { type IpAddress, type IpRange, isInRange, parseIpAddress, parseIpRange } from "../../core/ip-address.ts";
import type { ResolveHost, TargetPolicy } from "../settings.ts";

/** Code of the error with which a refused address ends a connection attempt. */
export const targetRefusedCode = "TARGET_REFUSED";

/** Decides which hosts and addresses may be called. */
export interface TargetGuard {
  /** Why a host is refused by its name, or by its address if it is one; null: not refused so far. */
  refusal(hostname: string): string | null;
  /**
   * Resolves, checks and pins: the connection goes to an address that was checked, whatever the name resolves to later.
   * Fails with `targetRefusedCode` when no address is allowed.
   */
  readonly lookup: LookupFunction;
}

const ranges = (...texts: string[]): readonly IpRange[] =>
  texts.map(parseIpRange).filter((range): range is IpRange => range !== null);

/** Link-local, metadata services of the clouds, multicast and broadcast: no event handler lives there. */
const forbidden = ranges(
  "169.254.0.0/16",
  "fe80::/10",
  "fd00:ec2::254",
  "100.100.100.200",
  "168.63.129.16",
  "192.0.0.192",
  "224.0.0.0/4",
  "255.255.255.255",
  "ff00::/8",
);
/** The unspecified address connects to this machine. */
const loopback = ranges("127.0.0.0/8", "0.0.0.0/8", "::1", "::");
const privateUse = ranges(
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "100.64.0.0/10",
  "198.18.0.0/15",
  "fc00::/7",
  "fec0::/10",
);
/** IPv6 ranges whose addresses stand for an IPv4 address, and where in the address it is. */
const embeddings = [
  { range: ranges("64:ff9b::/96"), at: 12 },
  { range: ranges("64:ff9b:1::/48"), at: 12 },
  { range: ranges("2002::/16"), at: 2 },
  { range: ranges("::/96"), at: 12 },
];

/** Why an address must not be called, or null. IPv4-mapped, NAT64 and 6to4 addresses count as what they stand for. */
export function refuseAddress(policy: TargetPolicy, text: string): string | null {
  const address = parseIpAddress(text);
  if (address === null) return "the address cannot be read";
  return refuse(policy, address);
}

function refuse(policy: TargetPolicy, address: IpAddress): string | null {
  const isIn = (list: readonly IpRange[]) => list.some((range) => isInRange(address, range));
  if (isIn(forbidden)) return "link-local, metadata and multicast addresses are never called";
  if (isIn(loopback)) return policy.allowLoopback ? null : "loopback addresses are not allowed";
  if (isIn(privateUse)) return policy.allowPrivate ? null : "private addresses are not allowed";
  const embedding = embeddings.find(({ range }) => isIn(range));
  return embedding === undefined ? null : refuse(policy, address.slice(embedding.at, embedding.at + 4));
}

const systemResolver: ResolveHost = async (hostname) => await dnsLookup(hostname, { all: true });

/** @spec H-53 */
export function createTargetGuard(policy: TargetPolicy, resolveHost: ResolveHost = systemResolver): TargetGuard {
  const allowed = policy.allowedHosts.map((host) => host.toLowerCase());
  const isListed = (hostname: string) =>
    allowed.length === 0 ||
    allowed.some((entry) => (entry.startsWith("*.") ? hostname.endsWith(entry.slice(1)) : hostname === entry));

  async function resolveChecked(hostname: string, family: number): Promise<{ address: string; family: number }[]> {
    const found = (await resolveHost(hostname)).filter((entry) => family === 0 || entry.family === family);
    const usable = found.filter(({ address }) => refuseAddress(policy, address) === null);
    const [first] = found;
    if (usable.length > 0 || first === undefined) return usable;
    const reason = refuseAddress(policy, first.address) ?? "";
    throw Object.assign(new Error(reason), { code: targetRefusedCode });
  }

  return {
    refusal(hostname) {
      if (!isListed(hostname.toLowerCase())) return "the host is not in the list of allowed hosts";
      return isIP(hostname) === 0 ? null : refuseAddress(policy, hostname);
    },
    lookup(hostname, options, callback) {
      const family =
        options.family === 4 || options.family === "IPv4"
          ? 4
          : options.family === 6 || options.family === "IPv6"
            ? 6
            : 0;
      resolveChecked(hostname, family).then(
        (addresses) => {
          const [first] = addresses;
          if (first === undefined) callback(Object.assign(new Error("no address"), { code: "ENOTFOUND" }), "");
          else if (options.all === true) callback(null, addresses);
          else callback(null, first.address, first.family);
        },
        (error: unknown) => callback(error instanceof Error ? error : new Error("lookup failed"), ""),
      );
    },
  };
}
