import type { Config } from "../config/config.ts";
import type { LogLevel } from "../core/ports.ts";
import type { LiveTraceSettings } from "../live-trace/live-trace.ts";
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

/** Who may watch, and what; no categories are all of them. */
export function liveTraceSettings({ properties }: Config): LiveTraceSettings {
  const { enabled, categories: configured } = properties.liveTraceConfiguration;
  return { isEnabled: enabled, categories: configured.length === 0 ? categories : enabledOf(configured) };
}

/** The resource logs' settings; `write` takes a line for standard output. */
export function resourceLogSettings(
  { logging, properties }: Config,
  write: (line: string) => void,
): ResourceLogSettings {
  return {
    categories: enabledOf(properties.resourceLogConfiguration.categories),
    write: logging.resourceLogs === "none" ? null : write,
  };
}

function enabledOf(configured: readonly { readonly name: string; readonly enabled: boolean }[]): ResourceCategory[] {
  const enabled = configured.filter((category) => category.enabled).map(({ name }) => name.toLowerCase());
  return categories.filter((category) => enabled.includes(category.toLowerCase()));
}
