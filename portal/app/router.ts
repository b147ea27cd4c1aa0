import { useSyncExternalStore } from "react";

/** Where the console is: `#/connections?hub=chat` is the page `connections` with one parameter. */
export interface Place {
  readonly page: string;
  readonly parameters: URLSearchParams;
}

/** The address of a page; a list becomes a parameter for each entry, empty ones are left out. */
export function linkTo(page: string, parameters: Readonly<Record<string, string | readonly string[]>> = {}): string {
  const entries = Object.entries(parameters).flatMap(([name, value]) =>
    [value]
      .flat()
      .filter((each) => each !== "")
      .map((each) => [name, each]),
  );
  const query = new URLSearchParams(entries).toString();
  return `#/${page}${query === "" ? "" : `?${query}`}`;
}

/** Goes to a page; `replace` leaves no step behind, for what is typed into a filter. */
export function go(link: string, { replace = false }: { readonly replace?: boolean } = {}): void {
  if (replace) {
    history.replaceState(null, "", link);
    window.dispatchEvent(new HashChangeEvent("hashchange"));
  } else location.hash = link;
}

/** The place the address bar names; renders again when it changes. */
export function usePlace(): Place {
  const hash = useSyncExternalStore(subscribe, () => location.hash);
  const [page = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  return { page: page === "" ? "overview" : page, parameters: new URLSearchParams(query) };
}

function subscribe(changed: () => void): () => void {
  window.addEventListener("hashchange", changed);
  return () => window.removeEventListener("hashchange", changed);
}
