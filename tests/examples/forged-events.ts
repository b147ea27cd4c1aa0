/** Places below which the official middleware takes events. */
const paths = ["/eventhandler", "/eventhandler/", "/eventhandler/below", "/EventHandler"];
const types = ["sys.connect", "sys.connected", "sys.disconnected", "user.message"];
const signatures: readonly Readonly<Record<string, string>>[] = [
  {},
  { "ce-signature": "" },
  { "ce-signature": `sha256=${"0".repeat(64)}` },
];

export interface Forgery {
  readonly hub: string;
  readonly userId: string;
  /** A user event of the application, and its data. */
  readonly event: string;
  readonly data: unknown;
}

/** Sends what only the service may send, without its signature; returns the different answers. */
export async function forgeEvents(url: string, { hub, userId, event, data }: Forgery): Promise<number[]> {
  const answers = new Set<number>();
  for (const path of paths) {
    for (const type of types) {
      for (const signature of signatures) {
        const eventName = type === "user.message" ? event : type.replace("sys.", "");
        const headers = {
          "Content-Type": typeof data === "string" ? "text/plain; charset=utf-8" : "application/json; charset=utf-8",
          "WebHook-Request-Origin": "localhost",
          "ce-awpsversion": "1.0",
          "ce-specversion": "1.0",
          "ce-hub": hub,
          "ce-type": type === "user.message" ? `azure.webpubsub.user.${event}` : `azure.webpubsub.${type}`,
          "ce-eventName": eventName,
          "ce-connectionId": "somebody",
          "ce-userId": userId,
          ...signature,
        };
        const body = type === "user.message" && typeof data === "string" ? data : JSON.stringify(data);
        answers.add((await fetch(`${url}${path}`, { method: "POST", headers, body })).status);
      }
    }
  }
  return [...answers];
}
