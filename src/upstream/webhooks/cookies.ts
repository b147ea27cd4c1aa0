import { Cookie, CookieJar } from "tough-cookie";
import { tunnelHref } from "./url-template.ts";

/** Bounds of one connection's jar; ours, far above what load balancers set. */
const maxCookies = 50;
const maxCookieLength = 4096;
const printable = /^[\x20-\x7e]*$/;

/** Stands for the application at the other end of a tunnel, whose host nobody knows; a name that can never be one. */
const tunnelHost = "https://tunnel.invalid";

/** The cookies of one connection, which keep its events on one server behind a load balancer (event-handlers 4.6). */
export class ConnectionCookies {
  // Public suffixes do not matter: the only URLs are those the operator configured, intranet names among them.
  readonly #jar = new CookieJar(undefined, { rejectPublicSuffixes: false });
  readonly #names = new Set<string>();

  /** Takes the `Set-Cookie` lines of a reply by the usual rules; what breaks them or the bounds is left out. */
  store(lines: readonly string[], url: string): void {
    for (const line of lines.slice(0, maxCookies)) {
      if (line.length > maxCookieLength || !printable.test(line)) continue;
      const cookie = Cookie.parse(line);
      if (cookie === undefined) continue;
      const name = `${cookie.key};${cookie.domain ?? ""};${cookie.path ?? ""}`;
      if (this.#names.size >= maxCookies && !this.#names.has(name)) continue;
      if (this.#jar.setCookieSync(cookie, jarUrl(url), { ignoreError: true }) !== undefined) this.#names.add(name);
    }
  }

  /** Value of the `Cookie` header for a URL, null for none. */
  header(url: string): string | null {
    const header = this.#jar.getCookieStringSync(jarUrl(url));
    return header === "" ? null : header;
  }
}

function jarUrl(url: string): string {
  return url.startsWith(tunnelHref) ? tunnelHost + url.slice(tunnelHref.length) : url;
}
