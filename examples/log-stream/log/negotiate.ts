export type Role = "viewer" | "publisher";

/** Asks the example's server for a URL to connect with. */
export async function negotiate(server: string, role: Role): Promise<string> {
  const response = await fetch(new URL(`/negotiate?role=${role}`, server));
  if (!response.ok) throw new Error(`${server} answered ${response.status} to /negotiate`);
  const { url } = (await response.json()) as { url?: unknown };
  if (typeof url !== "string") throw new Error(`${server} did not answer /negotiate with a URL`);
  return url;
}
