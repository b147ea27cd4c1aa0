import { useState } from "react";
import { admin, type NamedCount } from "../api/admin.ts";
import { dataPlane, type Recipients } from "../api/data-plane.ts";
import { go, linkTo, usePlace } from "../app/router.ts";
import { useListing } from "../app/use-listing.ts";
import { Dialog } from "../parts/dialog.tsx";
import { Field } from "../parts/field.tsx";
import { formatNumber } from "../parts/format.ts";
import { HubFilter } from "../parts/hub-filter.tsx";
import { ListState } from "../parts/list-state.tsx";
import { Empty, Notice } from "../parts/notice.tsx";
import { PageHead } from "../parts/page-head.tsx";
import { SendForm } from "../parts/send-form.tsx";
import { Cell, VirtualList } from "../parts/virtual-list.tsx";

type Kind = "group" | "user";

const texts = {
  group: {
    title: "Groups",
    about: "Groups that have members now. A group exists as long as somebody is in it.",
    none: "No group has members",
    hint: "A client joins a group by itself, by its token, or because an application server adds it.",
  },
  user: {
    title: "Users",
    about: "Users that are connected now. One user may have several connections.",
    none: "No user is connected",
    hint: "Clients belong to a user when their token names one, or when the connect event handler does.",
  },
} as const;

/** Groups with their members. */
export function Groups() {
  return <NamedList kind="group" />;
}

/** Users with their connections. */
export function Users() {
  return <NamedList kind="user" />;
}

function NamedList({ kind }: { readonly kind: Kind }) {
  const { parameters } = usePlace();
  const page = `${kind}s`;
  const [hub, search] = [parameters.get("hub") ?? "", parameters.get("search") ?? ""];
  const filter = (changes: Readonly<Record<string, string>>): void =>
    go(linkTo(page, { hub, search, ...changes }), { replace: true });
  const [sendingTo, setSendingTo] = useState<NamedCount | null>(null);
  const { title, about, none, hint } = texts[kind];
  const load = kind === "group" ? admin.groups : admin.users;
  const listing = useListing(JSON.stringify([hub, search]), (after, signal) =>
    load({ hub, search, after, top: 500 }, signal),
  );
  return (
    <>
      <PageHead title={title}>{about}</PageHead>
      <div className="grid">
        <HubFilter value={hub} onChange={(chosen) => filter({ hub: chosen })} />
        <Field label="Search">
          {(ids) => (
            <input
              {...ids}
              type="search"
              placeholder="Part of a name"
              value={search}
              onChange={({ target }) => filter({ search: target.value })}
            />
          )}
        </Field>
      </div>
      {listing.error !== null && <Notice kind="alarm">{listing.error}</Notice>}
      <ListState listing={listing} one={kind} />
      <VirtualList
        label={title}
        items={listing.items}
        keyOf={({ hub: of, name }) => `${of}/${name}`}
        rowHeight={44}
        columns="minmax(140px, 2fr) minmax(90px, 1fr) 110px 90px"
        minWidth={480}
        head={[kind === "group" ? "Group" : "User", "Hub", { number: "Connections" }, "Send"]}
        onEnd={listing.more}
        empty={listing.isLoading ? null : <Empty title={search === "" ? none : "No name fits"}>{hint}</Empty>}
        cells={(item) => (
          <>
            <Cell>
              <a href={linkTo("connections", { hub: item.hub, [kind]: item.name })}>{item.name}</a>
            </Cell>
            <Cell>{item.hub}</Cell>
            <Cell isNumber>{formatNumber(item.connections)}</Cell>
            <Cell>
              <button
                type="button"
                className="quiet"
                aria-label={`Send to ${item.name}`}
                onClick={() => setSendingTo(item)}
              >
                Send
              </button>
            </Cell>
          </>
        )}
      />
      {sendingTo !== null && (
        <Dialog title={`Send to ${kind} ${sendingTo.name}`} onClose={() => setSendingTo(null)}>
          <SendForm onSend={(message) => dataPlane.send(sendingTo.hub, recipientsOf(kind, sendingTo), message)} />
        </Dialog>
      )}
    </>
  );
}

const recipientsOf = (kind: Kind, { name }: NamedCount): Recipients => ({ kind, name });
