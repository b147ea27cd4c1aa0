const signs = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"] as const;

/** Calls back when nobody has touched this page for a while or it is hidden, and when somebody is back. */
export function watchIdle(afterMs: number, onChange: (isIdle: boolean) => void): () => void {
  let isIdle = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const set = (next: boolean) => {
    if (next === isIdle) return;
    isIdle = next;
    onChange(isIdle);
  };
  const wake = () => {
    clearTimeout(timer);
    timer = setTimeout(() => set(true), afterMs);
    set(false);
  };
  const onVisibility = () => (document.hidden ? set(true) : wake());
  for (const sign of signs) addEventListener(sign, wake, { passive: true });
  document.addEventListener("visibilitychange", onVisibility);
  wake();
  if (document.hidden) set(true);
  return () => {
    clearTimeout(timer);
    for (const sign of signs) removeEventListener(sign, wake);
    document.removeEventListener("visibilitychange", onVisibility);
  };
}
