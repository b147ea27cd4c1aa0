import { type FSWatcher, statSync, watch } from "node:fs";
import { dirname } from "node:path";

export interface FileWatch {
  /** Replaces the set of watched files; unchanged folders keep their watchers. */
  setFiles(files: readonly string[]): void;
  /** No call comes after it. May be called twice. */
  close(): void;
}

export interface FileWatchOptions {
  /** At least one of the files has changed, appeared or vanished; called once per burst of changes. */
  readonly onChange: () => void;
  /** A folder that cannot be watched; changes there go unnoticed. */
  readonly onUnwatchable: (folder: string, reason: string) => void;
  /** Quiet time that ends a burst of changes. Default 100 ms: editors write, rename and touch within a few. */
  readonly debounceMs?: number;
}

const defaultDebounceMs = 100;

/**
 * Watches files through their folders, so that replacement by rename (editors) and by symbolic link (Kubernetes volumes)
 * is noticed. Nothing is polled; the process may end while a watch is open.
 */
export function watchFiles(files: readonly string[], options: FileWatchOptions): FileWatch {
  const folders = new Map<string, FSWatcher>();
  let watched: readonly string[] = [];
  let signature = "";
  let timer: ReturnType<typeof setTimeout> | null = null;
  let isClosed = false;

  const settle = () => {
    timer = null;
    const current = signatureOf(watched);
    if (current === signature) return;
    signature = current;
    options.onChange();
  };
  const touched = () => {
    if (isClosed) return;
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(settle, options.debounceMs ?? defaultDebounceMs);
    timer.unref();
  };
  const watchFolder = (folder: string) => {
    try {
      const watcher = watch(folder, { persistent: false }, touched);
      watcher.on("error", (error) => {
        folders.delete(folder);
        watcher.close();
        options.onUnwatchable(folder, error.message);
      });
      folders.set(folder, watcher);
    } catch (error) {
      options.onUnwatchable(folder, error instanceof Error ? error.message : "unknown error");
    }
  };
  const setFiles = (next: readonly string[]) => {
    if (isClosed) return;
    const needed = new Set(next.map((file) => dirname(file)));
    for (const [folder, watcher] of folders) {
      if (needed.has(folder)) continue;
      watcher.close();
      folders.delete(folder);
    }
    for (const folder of needed) if (!folders.has(folder)) watchFolder(folder);
    const isSameSet = next.length === watched.length && next.every((file) => watched.includes(file));
    if (isSameSet) return;
    watched = [...next];
    signature = signatureOf(watched);
  };

  setFiles(files);
  return {
    setFiles,
    close: () => {
      isClosed = true;
      if (timer !== null) clearTimeout(timer);
      for (const watcher of folders.values()) watcher.close();
      folders.clear();
    },
  };
}

/** What tells one state of the files from another, symbolic links followed. */
function signatureOf(files: readonly string[]): string {
  return files
    .map((file) => {
      const stats = statSync(file, { throwIfNoEntry: false, bigint: true });
      return stats === undefined ? "absent" : `${stats.ino}:${stats.size}:${stats.mtimeNs}`;
    })
    .join("\n");
}
