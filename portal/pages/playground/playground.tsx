import { useEffect, useRef, useState } from "react";
import { bestEndpoint, clientUrl, dataPlane } from "../../api/data-plane.ts";
import { usePlace } from "../../app/router.ts";
import { useStatus } from "../../app/status.tsx";
import { Empty } from "../../parts/notice.tsx";
import { PageHead } from "../../parts/page-head.tsx";
import { ClientPanel } from "./client-panel.tsx";
import { type ConnectChoice, ConnectForm } from "./connect-form.tsx";
import { PlaygroundClient } from "./playground-client.ts";
import { protocols } from "./protocols.ts";

interface Opened {
  readonly id: number;
  readonly choice: ConnectChoice;
  readonly client: PlaygroundClient;
}

/** Each is a socket and a column; more do not fit beside each other. */
const maxClients = 8;

/** Clients of any protocol side by side. They live as long as the page is open. */
export function Playground() {
  const { parameters } = usePlace();
  const { value: status } = useStatus();
  const [clients, setClients] = useState<readonly Opened[]>([]);
  const lastId = useRef(0);
  const open = useRef(clients);
  open.current = clients;
  useEffect(
    () => () => {
      for (const { client } of open.current) client.close();
    },
    [],
  );
  if (status === null) return <PageHead title="Playground" />;
  const connect = (choice: ConnectChoice): void => {
    const { hub, userId, groups, roles, endpoint } = choice;
    const protocol = protocols.find(({ title }) => title === choice.protocol) ?? protocols[0];
    if (protocol === undefined) return;
    const client = new PlaygroundClient(protocol, async () => {
      const token = await dataPlane.generateToken({ hub, userId, groups, roles });
      return clientUrl(endpoint, hub, token);
    });
    lastId.current += 1;
    setClients((before) => [...before, { id: lastId.current, choice, client }]);
    void client.connect();
  };
  const remove = (id: number): void => {
    clients.find((opened) => opened.id === id)?.client.close();
    setClients((before) => before.filter((opened) => opened.id !== id));
  };
  return (
    <>
      <PageHead title="Playground">
        Connect clients here, send between them, and see every frame as it goes over the wire.
      </PageHead>
      <ConnectForm
        endpoints={status.endpoints}
        hubs={Object.keys(status.connections.hubs)}
        initial={{
          hub: parameters.get("hub") ?? "",
          userId: parameters.get("userId") ?? "",
          groups: parameters.getAll("group"),
          roles: parameters.getAll("role"),
          endpoint: bestEndpoint(status.endpoints),
          protocol: protocols.find(({ name }) => (name ?? "none") === parameters.get("protocol"))?.title ?? null,
        }}
        isFull={clients.length >= maxClients}
        onConnect={connect}
      />
      {clients.length === 0 ? (
        <section className="card">
          <Empty title="No client yet">
            Choose a hub and connect. Two clients that join the same group can send to each other.
          </Empty>
        </section>
      ) : (
        <div className="grid two">
          {clients.map(({ id, choice, client }) => (
            <ClientPanel key={id} number={id} choice={choice} client={client} onRemove={() => remove(id)} />
          ))}
        </div>
      )}
    </>
  );
}
