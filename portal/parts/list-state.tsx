import type { Listing } from "../app/use-listing.ts";
import { counted, formatNumber } from "./format.ts";

/** What is shown of how many, and a way to bring it up to date. */
export function ListState({ listing, one }: { readonly listing: Listing<unknown>; readonly one: string }) {
  const { items, total, isFrozen, isLoading } = listing;
  const shown =
    total === null || total <= items.length
      ? counted(items.length, one)
      : `${formatNumber(items.length)} of ${counted(total, one)}`;
  return (
    <div className="row small soft">
      <span role="status">{isLoading ? "Loading" : shown}</span>
      {isFrozen ? (
        <button type="button" onClick={() => listing.reload()}>
          Bring up to date
        </button>
      ) : (
        <span>Up to date, every 3 seconds</span>
      )}
    </div>
  );
}
