import { useCallback, useEffect, useRef, useState } from "react";
import type { ListPage } from "../api/admin.ts";
import { wordsOf } from "./use-load.ts";

/** A list of the server that grows page by page. */
export interface Listing<Item> {
  readonly items: readonly Item[];
  /** How many there are on the server, where it says so. */
  readonly total: number | null;
  readonly error: string | null;
  /** True until the first page is there. */
  readonly isLoading: boolean;
  /** The list was kept as it is because more than a page is loaded; `reload` brings it up to date. */
  readonly isFrozen: boolean;
  /** Loads what follows, once. */
  readonly more: () => void;
  /** Starts anew. */
  readonly reload: () => void;
}

type LoadPage<Item> = (after: string | null, signal: AbortSignal) => Promise<ListPage<Item>>;

interface State<Item> {
  readonly items: readonly Item[];
  readonly total: number | null;
  readonly next: string | null;
  readonly pages: number;
  readonly error: string | null;
  readonly isLoading: boolean;
}

const refreshMs = 3000;

/**
 * Loads a list of the server by pages. While only the first page is shown it is live; once the reader has gone further it
 * stays as it is, so that rows do not move under the pointer.
 */
export function useListing<Item>(key: string, loadPage: LoadPage<Item>): Listing<Item> {
  const nothing: State<Item> = { items: [], total: null, next: null, pages: 0, error: null, isLoading: true };
  const [state, setState] = useState(nothing);
  const [round, setRound] = useState(0);
  const latest = useRef({ loadPage, state });
  latest.current = { loadPage, state };
  const abort = useRef<AbortController | null>(null);
  const isLoadingMore = useRef(false);

  useEffect(() => {
    const own = new AbortController();
    abort.current = own;
    isLoadingMore.current = false;
    // `next` is a place in the list of before, which stays in view until the new one is here.
    setState((before) => ({ ...before, next: null, isLoading: before.pages === 0, pages: Math.min(before.pages, 1) }));
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isNew = true;
    const refresh = async (): Promise<void> => {
      if (isNew || (!document.hidden && latest.current.state.pages <= 1)) {
        isNew = false;
        const loaded = await firstPage(latest.current.loadPage, own.signal);
        if (own.signal.aborted) return;
        // Somebody may have gone further meanwhile.
        setState((before) => (before.pages > 1 ? before : { ...before, ...loaded, isLoading: false }));
      }
      timer = setTimeout(() => void refresh(), refreshMs);
    };
    void refresh();
    return () => {
      own.abort();
      clearTimeout(timer);
    };
  }, [key, round]);

  const more = useCallback(() => {
    const { state: now, loadPage: load } = latest.current;
    const signal = abort.current?.signal;
    if (now.next === null || isLoadingMore.current || signal === undefined) return;
    isLoadingMore.current = true;
    setState((before) => ({ ...before, pages: before.pages + 1 }));
    void load(now.next, signal)
      .then(
        (page) => {
          if (signal.aborted) return;
          setState((before) => ({ ...before, items: [...before.items, ...page.value], next: page.next, error: null }));
        },
        (error: unknown) => {
          if (!signal.aborted) setState((before) => ({ ...before, error: wordsOf(error) }));
        },
      )
      .finally(() => {
        isLoadingMore.current = false;
      });
  }, []);
  const reload = useCallback(() => {
    setState((before) => ({ ...before, pages: 0 }));
    setRound((before) => before + 1);
  }, []);
  const { items, total, error, isLoading, pages } = state;
  return { items, total, error, isLoading, isFrozen: pages > 1, more, reload };
}

async function firstPage<Item>(load: LoadPage<Item>, signal: AbortSignal): Promise<Partial<State<Item>>> {
  try {
    const page = await load(null, signal);
    return { items: page.value, total: page.total ?? null, next: page.next, pages: 1, error: null };
  } catch (error) {
    return { error: wordsOf(error) };
  }
}
