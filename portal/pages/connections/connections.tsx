import { type ReactNode, useState } from "react";
import { admin, type ListedConnection } from "../../api/admin.ts";
import { dataPlane } from "../../api/data-plane.ts";
import { go, linkTo, usePlace } from "../../app/router.ts";
import { useSay } from "../../app/toasts.tsx";
import { useListing } from "../../app/use-listing.ts";
import { wordsOf } from "../../app/use-load.ts";
import { Confirm } from "../../parts/dialog.tsx";
import { Field } from "../../parts/field.tsx";
import { formatBytes, formatNumber } from "../../parts/format.ts";
import { HubFilter } from "../../parts/hub-filter.tsx";
import { ListState } from "../../parts/list-state.tsx";
import { Empty, Notice } from "../../parts/notice.tsx";
import { PageHead } from "../../parts/page-head.tsx";
import { Cell, VirtualList } from "../../parts/virtual-list.tsx";
import { ConnectionSheet } from "./connection-sheet.tsx";

const pageSize = 500;

/** Every client connection of this node: found, opened, closed. */
export function Connections() {
  const { parameters } = usePlace();
  const of = (name: string): string => parameters.get(name) ?? "";
  const [hub, group, user, search] = [of("hub"), of("group"), of("user"), of("search")];
  const open = of("open");
  const filter = (changes: Readonly<Record<string, string>>): void =>
    go(linkTo("connections", { hub, group, user, search, ...changes }), { replace: true });
  const listing = useListing(JSON.stringify([hub, group, user, search]), (after, signal) =>
    admin.connections({ hub, group, user, search, after, top: pageSize }, signal),
  );
  const opened = open === "" ? null : splitKey(open);
  return (
    <>
      <PageHead title="Connections" actions={<CloseAll hub={hub} group={group} user={user} />}>
        Clients that are connected now. Open one to see its groups and permissions, and to send to it.
      </PageHead>
      <div className="grid">
        <HubFilter value={hub} onChange={(chosen) => filter({ hub: chosen, group: "", user: "" })} />
        <Field label="Search">
          {(ids) => (
            <input
              {...ids}
              type="search"
              placeholder="Part of a connection id or user id"
              value={search}
              onChange={({ target }) => filter({ search: target.value })}
            />
          )}
        </Field>
      </div>
      <Narrowed group={group} user={user} onClear={() => filter({ group: "", user: "" })} />
      {listing.error !== null && <Notice kind="alarm">{listing.error}</Notice>}
      <ListState listing={listing} one="connection" />
      <VirtualList
        label="Connections"
        items={listing.items}
        keyOf={keyOf}
        rowHeight={44}
        columns="minmax(270px, 2fr) minmax(110px, 1.2fr) minmax(90px, 1fr) minmax(210px, 1.4fr) 60px 90px"
        minWidth={920}
        head={["Connection", "User", "Hub", "Protocol", { number: "Groups" }, { number: "Queue" }]}
        onEnd={listing.more}
        onOpen={(item) => filter({ open: keyOf(item) })}
        empty={listing.isLoading ? null : <NobodyHere isFiltered={[group, user, search].some((text) => text !== "")} />}
        cells={(item) => (
          <>
            <Cell>
              <button type="button" className="link mono" onClick={() => filter({ open: keyOf(item) })}>
                {item.connectionId}
              </button>
            </Cell>
            <Cell>{item.userId ?? <span className="soft">anonymous</span>}</Cell>
            <Cell>{item.hub}</Cell>
            <Cell>
              {item.protocol ?? "simple"} {item.isDetached && <span className="badge warn">away</span>}
            </Cell>
            <Cell isNumber>{formatNumber(item.groups)}</Cell>
            <Cell isNumber>{item.queue.messages === 0 ? "–" : formatBytes(item.queue.bytes)}</Cell>
          </>
        )}
      />
      {opened !== null && <ConnectionSheet hub={opened.hub} id={opened.id} onClose={() => filter({ open: "" })} />}
    </>
  );
}

const keyOf = ({ hub, connectionId }: ListedConnection): string => `${hub}/${connectionId}`;

/** Hub names have no slash. */
function splitKey(key: string): { readonly hub: string; readonly id: string } {
  const slash = key.indexOf("/");
  return { hub: key.slice(0, slash), id: key.slice(slash + 1) };
}

interface NarrowedProps {
  readonly group: string;
  readonly user: string;
  readonly onClear: () => void;
}

function Narrowed({ group, user, onClear }: NarrowedProps) {
  if (group === "" && user === "") return null;
  const clear = (
    <button type="button" onClick={onClear}>
      Show all
    </button>
  );
  return (
    <Notice actions={clear}>
      {group === "" ? "Connections of user " : "Members of group "}
      <strong>{group === "" ? user : group}</strong>
    </Notice>
  );
}

function NobodyHere({ isFiltered }: { readonly isFiltered: boolean }) {
  if (isFiltered) return <Empty title="No connection fits">Look for less, or in all hubs.</Empty>;
  return (
    <Empty
      title="Nobody is connected"
      action={
        <a className="button" href={linkTo("playground")}>
          Open the Playground
        </a>
      }
    >
      Connections appear here as clients open them. The Playground is a client of its own.
    </Empty>
  );
}

/** Closes all connections of what the list is narrowed to. */
function CloseAll({
  hub,
  group,
  user,
}: {
  readonly hub: string;
  readonly group: string;
  readonly user: string;
}): ReactNode {
  const say = useSay();
  const [isAsking, setAsking] = useState(false);
  if (hub === "") return null;
  const what = group !== "" ? `group “${group}”` : user !== "" ? `user “${user}”` : `hub “${hub}”`;
  const close = async (): Promise<void> => {
    setAsking(false);
    const to =
      group !== ""
        ? ({ kind: "group", name: group } as const)
        : user !== ""
          ? ({ kind: "user", name: user } as const)
          : ({ kind: "hub" } as const);
    await dataPlane.closeAll(hub, to, "closed by the operator").then(
      () => say(`Closed all connections of ${what}.`),
      (error: unknown) => say(wordsOf(error)),
    );
  };
  return (
    <>
      <button type="button" className="danger" onClick={() => setAsking(true)}>
        Close all of {what}
      </button>
      {isAsking && (
        <Confirm
          title={`Close all connections of ${what}?`}
          action="Close all"
          onClose={() => setAsking(false)}
          onConfirm={() => void close()}
        >
          Clients are told “closed by the operator”. Most of them connect again by themselves.
        </Confirm>
      )}
    </>
  );
}
