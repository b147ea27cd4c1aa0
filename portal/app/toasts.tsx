import { createContext, type ReactNode, useCallback, useContext, useLayoutEffect, useRef, useState } from "react";

type Say = (text: string) => void;

const ToastContext = createContext<Say>(() => undefined);
const shownMs = 6000;
const maxToasts = 4;

/** Shows short news at the edge of the page, read out to those who do not see it. */
export function ToastProvider({ children }: { readonly children: ReactNode }) {
  const [toasts, setToasts] = useState<readonly { readonly id: number; readonly text: string }[]>([]);
  const lastId = useRef(0);
  const box = useRef<HTMLDivElement>(null);
  // What is shown last is on top: news must not be hidden behind the dialog that caused it.
  useLayoutEffect(() => {
    box.current?.hidePopover();
    if (toasts.length > 0) box.current?.showPopover();
  }, [toasts]);
  const say = useCallback((text: string) => {
    lastId.current += 1;
    const id = lastId.current;
    setToasts((before) => [...before.slice(1 - maxToasts), { id, text }]);
    setTimeout(() => setToasts((before) => before.filter((toast) => toast.id !== id)), shownMs);
  }, []);
  return (
    <ToastContext value={say}>
      {children}
      <div ref={box} popover="manual" className="toasts" role="status" aria-live="polite">
        {toasts.map(({ id, text }) => (
          <div key={id} className="toast fade">
            {text}
          </div>
        ))}
      </div>
    </ToastContext>
  );
}

/** Says that something was done, or why not. */
export function useSay(): Say {
  return useContext(ToastContext);
}
