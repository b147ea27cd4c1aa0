import type { Config } from "../config/config.ts";
import type { LogLevel } from "../core/ports.ts";
import type { LogSettings } from "../observability/logger.ts";
import type { ResourceCategory, ResourceLogSettings } from "../observability/resource-logs.ts";

const levels = {
  trace: "debug",
  debug: "debug",
  info: "info",
  warn: "warning",
  error: "error",
} as const satisfies Record<Config["logging"]["level"], LogLevel>;

const categories: readonly ResourceCategory[] = ["ConnectivityLogs", "MessagingLogs", "HttpRequestLogs"];

/** The operational log's settings. */
export function logSettings({ logging }: Config, isTerminal: boolean): LogSettings {
  const format = logging.format === "auto" ? (isTerminal ? "pretty" : "json") : logging.format;
  return { level: levels[logging.level], format };
}

/** The resource logs' settings; `write` takes a line for standard output. */
export function resourceLogSettings(
  { logging, properties }: Config,
  write: (line: string) => void,
): ResourceLogSettings {
  const enabled = properties.resourceLogConfiguration.categories
    .filter((category) => category.enabled)
    .map(({ name }) => name.toLowerCase());
  return {
    categories: categories.filter((category) => enabled.includes(category.toLowerCase())),
    write: logging.resourceLogs === "none" ? null : write,
  };
}
