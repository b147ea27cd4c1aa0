import { type ReactNode, useLayoutEffect, useRef, useState } from "react";

export interface VirtualListProps<Item> {
  /** What the list holds, for those who hear it. */
  readonly label: string;
  readonly items: readonly Item[];
  readonly keyOf: (item: Item) => string;
  readonly rowHeight: number;
  /** `grid-template-columns` of head and rows, and the width in pixels below which they are scrolled sideways. */
  readonly columns: string;
  readonly minWidth: number;
  /** Titles of the columns; those of numbers stand at the right, as they do. */
  readonly head: readonly (string | { readonly number: string })[];
  readonly cells: (item: Item) => ReactNode;
  readonly onOpen?: (item: Item) => void;
  /** Called when the end comes into view, to load what follows. */
  readonly onEnd?: () => void;
  /** Stays at the last row while the reader is there. */
  readonly isFollowing?: boolean;
  /** Shown in its place while there are no rows. */
  readonly empty?: ReactNode;
}

/** Rows above and below the window that exist already, so that scrolling shows no gaps. */
const margin = 8;

/** A list of any length: only the rows in view exist, so 10,000 are as quick as ten. */
export function VirtualList<Item>(props: VirtualListProps<Item>) {
  const {
    label,
    items,
    keyOf,
    rowHeight,
    columns,
    minWidth,
    head,
    cells,
    onOpen,
    onEnd,
    isFollowing = false,
    empty,
  } = props;
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 600 });
  const isAtBottom = useRef(true);
  const measure = (): void => {
    const { scrollTop = 0, clientHeight = 600, scrollHeight = 0 } = box.current ?? {};
    isAtBottom.current = scrollTop + clientHeight >= scrollHeight - 2 * rowHeight;
    setView({ top: scrollTop, height: clientHeight });
  };
  useLayoutEffect(() => {
    const observed = box.current;
    if (observed === null) return;
    const observer = new ResizeObserver(measure);
    observer.observe(observed);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => {
    if (isFollowing && isAtBottom.current && box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  }, [items, isFollowing]);
  const first = Math.max(0, Math.floor(view.top / rowHeight) - margin);
  const last = Math.min(items.length, Math.ceil((view.top + view.height) / rowHeight) + margin);
  const isAtEnd = last >= items.length;
  useLayoutEffect(() => {
    if (isAtEnd) onEnd?.();
    // The callback changes with every rendering; what matters is where the reader is.
  }, [isAtEnd, items.length]);
  // A table without rows is none.
  if (items.length === 0 && empty !== undefined) {
    return (
      <div className="list" ref={box}>
        {empty}
      </div>
    );
  }
  // CSP allows no style attributes in markup; React sets these through the DOM, which it does allow.
  return (
    <div
      className="list"
      ref={box}
      onScroll={measure}
      role="table"
      aria-label={label}
      aria-rowcount={items.length + 1}
      tabIndex={0}
    >
      <div className="list-head" role="row" style={{ gridTemplateColumns: columns, minWidth }}>
        {head.map((column) => {
          const [title, className] = typeof column === "string" ? [column, ""] : [column.number, "number"];
          return (
            <span key={title} role="columnheader" className={className}>
              {title}
            </span>
          );
        })}
      </div>
      <div role="rowgroup" className="list-rows" style={{ height: items.length * rowHeight, minWidth }}>
        {items.slice(first, last).map((item, offset) => {
          const index = first + offset;
          const style = { top: index * rowHeight, height: rowHeight, gridTemplateColumns: columns };
          const content = cells(item);
          return (
            <div
              key={keyOf(item)}
              className="row-line"
              role="row"
              aria-rowindex={index + 2}
              style={style}
              onClick={onOpen === undefined ? undefined : () => onOpen(item)}
            >
              {content}
            </div>
          );
        })}
      </div>
    </div>
  );
}

/** One cell of a row. */
export function Cell({ children, isNumber = false }: { readonly children: ReactNode; readonly isNumber?: boolean }) {
  return (
    <span role="cell" className={isNumber ? "number" : ""}>
      {children}
    </span>
  );
}
