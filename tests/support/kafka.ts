import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type BrokerProcess, startBroker } from "./broker-process.ts";
import { freePort } from "./free-port.ts";
import { tempDir } from "./temp.ts";

/** Apache Kafka, one node, topics made when they are first used. */
export interface Kafka extends BrokerProcess {
  /** `host:port` without authentication. */
  readonly plain: string;
  /** `host:port` with SASL PLAIN; user `app`. */
  readonly sasl: string;
  /** Starts it again on the same ports with the same data. */
  restart(): Promise<void>;
}

const startDeadlineMs = 120_000; // a JVM on a busy machine

/** Starts a broker from a folder of jars. `password` is that of the user `app`. */
export async function startKafka(jars: string, password: string): Promise<Kafka> {
  const folder = tempDir();
  const [plain, sasl, controller] = [await freePort(), await freePort(), await freePort()];
  const file = join(folder, "server.properties");
  const login = "org.apache.kafka.common.security.plain.PlainLoginModule";
  writeFileSync(
    file,
    `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:${plain},SASL_PLAINTEXT://127.0.0.1:${sasl},CONTROLLER://127.0.0.1:${controller}
advertised.listeners=PLAINTEXT://127.0.0.1:${plain},SASL_PLAINTEXT://127.0.0.1:${sasl}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT
sasl.enabled.mechanisms=PLAIN
listener.name.sasl_plaintext.plain.sasl.jaas.config=${login} required user_app="${password}";
log.dirs=${join(folder, "logs")}
num.partitions=1
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
group.initial.rebalance.delay.ms=0
message.max.bytes=200000
`,
  );
  const java = ["java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", join(jars, "*")] as const;
  const format = ["kafka.tools.StorageTool", "format", "-t", "AAAAAAAAAAAAAAAAAAAAAA", "-c", file];
  await startBroker([...java, ...format], { ready: /Formatting metadata directory/, withinMs: startDeadlineMs });
  const start = async (): Promise<BrokerProcess> =>
    await startBroker([...java, "kafka.Kafka", file], { ready: /Kafka Server started/, withinMs: startDeadlineMs });
  let broker = await start();
  return {
    plain: `127.0.0.1:${plain}`,
    sasl: `127.0.0.1:${sasl}`,
    kill: () => broker.kill(),
    async restart() {
      broker = await start();
    },
  };
}
