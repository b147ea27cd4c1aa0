interface Refused {
  readonly error?: string;
}

export type Entry =
  | { readonly kind: "url"; readonly url: string }
  | { readonly kind: "signedOut" }
  | { readonly kind: "closed"; readonly reason: string };

const post = (path: string, body: object = {}): Promise<Response> =>
  fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

const errorOf = async (response: Response): Promise<string> =>
  ((await response.json()) as Refused).error ?? `The application answered ${response.status}.`;

export async function isSignedIn(): Promise<boolean> {
  const response = await fetch("/session");
  return ((await response.json()) as { readonly isSignedIn: boolean }).isSignedIn;
}

/** The URL to connect with. Rejects where the application cannot be reached. */
export async function negotiate(): Promise<Entry> {
  const response = await post("/negotiate");
  if (response.status === 401) return { kind: "signedOut" };
  if (response.status === 403) return { kind: "closed", reason: await errorOf(response) };
  if (!response.ok) throw new Error(await errorOf(response));
  return { kind: "url", url: ((await response.json()) as { readonly url: string }).url };
}

/** Null when it is done, else why not. */
export async function signIn(name: string, color: number): Promise<string | null> {
  try {
    const response = await post("/sign-in", { name, color });
    if (response.status === 403) return `The admin has closed this name: ${await errorOf(response)}`;
    return response.ok ? null : await errorOf(response);
  } catch {
    return "The application cannot be reached.";
  }
}

export async function signOut(): Promise<void> {
  await post("/sign-out");
}
