import { once } from "node:events";
import { Command, Option } from "commander";
import { onInterrupt } from "../cli/interrupt.ts";
import { apiUrl, positiveInteger } from "../cli/option-values.ts";
import { pluralize } from "../cli/pluralize.ts";
import { startProgress } from "../cli/progress.ts";
import { exitCodes, runCommand } from "../cli/run-command.ts";
import { LIST_ORDERS } from "../functions/core/list-bodies.ts";
import { LIST_DEFAULT_EVENTS } from "../functions/core/list-limits.ts";
import type { Plan } from "../functions/core/list-reader.ts";
import { EXPORT_FORMATS } from "../functions/core/export-job.ts";
import { createApiClient } from "./access/api-client.ts";
import { toDataParameter } from "./data-parameter.ts";
import { explainEvent } from "./query/explain-event.ts";
import { printerOf } from "./query/printer.ts";
import { type Parameters, readPages } from "./query/pages.ts";
import { findKey } from "./send/find-key.ts";
import { addStackOptions, findStackAddress, type StackOptions } from "./stack-address.ts";

type Options = StackOptions & {
  url?: string;
  tenant?: string;
  type?: string[];
  source?: string[];
  subject?: string[];
  id?: string[];
  from?: string;
  to?: string;
  timeFrom?: string;
  timeTo?: string;
  data?: string[];
  order?: string;
  select?: string;
  limit?: number;
  all?: true;
  cursor?: string;
  json?: true;
  why?: string;
  format?: Format;
};

const FORMATS = ["table", ...EXPORT_FORMATS] as const;
type Format = (typeof FORMATS)[number];

const command = new Command("npm run query --")
  .description("Lists stored events: as a table on a terminal, else one event a line, or as CSV.")
  .option("--type <type>", "in full, or its beginning as com.example.*; repeated: any of them", collect)
  .option("--source <source>", "the same for the source", collect)
  .option("--subject <subject>", "the same for the subject", collect)
  .option("--id <id>", "the same for the id", collect)
  .option("--from <time>", "received at or after it (RFC 3339)")
  .option("--to <time>", "received before it")
  .option("--time-from <time>", "the producer's time at or after it")
  .option("--time-to <time>", "the producer's time before it")
  .option("--data <condition>", "a condition on data: 'total[gte]=100'; repeated: all of them", collect)
  .addOption(new Option("--order <order>", "newest or oldest first").choices(LIST_ORDERS))
  .option("--select <members>", "the members to print, for example id,type,data.total")
  .addOption(
    new Option("--limit <n>", `events to print (default: ${LIST_DEFAULT_EVENTS})`)
      .argParser(positiveInteger("--limit"))
      .conflicts("all"),
  )
  .option("--all", "every event of the list")
  .option("--cursor <text>", "goes on where an interrupted command has stopped, with the same options")
  .option("--why <id>", "the conditions that the event with this id does not meet, instead of a list")
  .addOption(
    new Option("--format <format>", "how they are printed (default: a table on a terminal, else ndjson)").choices(
      FORMATS,
    ),
  )
  .addOption(new Option("--json", "the same as --format ndjson").conflicts("format"))
  .option("--tenant <name>", "the tenant, where the key is one of the installation")
  .option("--url <url>", "the API's URL (default: that of the local runtime)", apiUrl("--url"));
addStackOptions(command)
  .addHelpText(
    "after",
    `
The key is read from the environment variable SLUICE_API_KEY; without it, the local runtime's own is taken.

Exit codes: 0 done, 1 interrupted, 2 refused or not possible.`,
  )
  .action(query);

function collect(value: string, all: string[] = []): string[] {
  return [...all, value];
}

async function query(options: Options): Promise<void> {
  const { limit = LIST_DEFAULT_EVENTS, all, select, tenant } = options;
  const { url, apiKey } = options.url === undefined ? findStackAddress(options) : { url: options.url };
  const api = createApiClient(url, findKey(apiKey));
  if (options.why !== undefined) {
    const reasons = await explainEvent(api, { id: options.why, parameters: toParameters(options), tenant });
    process.stdout.write(`${reasons.length === 0 ? "The event is in the list." : reasons.join("\n")}\n`);
    return;
  }
  const format = options.format ?? (options.json || !process.stdout.isTTY ? "ndjson" : "table");
  const toText = printerOf(format, select?.split(","));

  const signal = onInterrupt();
  const progress = all ? startProgress(undefined, "events looked at") : undefined;
  let [printed, lookedAt] = [0, 0];
  let plan: Plan | undefined;
  let next: string | undefined = options.cursor;
  try {
    const most = all ? undefined : limit;
    const pages = readPages(api, { parameters: toParameters(options), tenant, most, cursor: options.cursor, signal });
    for await (const page of pages) {
      if (page.events.length > 0 && !(await write(toText(page.events, printed === 0)))) return;
      printed += page.events.length;
      lookedAt += page.scanned.rows;
      if (plan !== "scan") plan = page.plan;
      progress?.advance(page.scanned.rows);
      if (!page.complete && !all) process.stderr.write(`${pluralize(lookedAt, "event")} looked at, going on\n`);
      next = page.next ?? undefined;
    }
  } finally {
    progress?.stop();
  }
  if (signal.aborted && next !== undefined) {
    process.stderr.write(
      `Stopped after ${pluralize(printed, "event")}. Go on with the same options and --cursor ${next}\n`,
    );
    process.exitCode = exitCodes.incomplete;
    return;
  }
  const more = next === undefined ? "" : "; there are more: --all prints every one";
  const how = plan === undefined ? "" : ` (${plan}: ${pluralize(lookedAt, "event")} looked at)`;
  process.stderr.write(`${pluralize(printed, "event")}${how}${more}\n`);
}

function toParameters({ data = [], ...options }: Options): Parameters {
  const { type, source, subject, id, from, to, timeFrom, timeTo, order, select } = options;
  const conditions = new Map<string, string[]>();
  for (const condition of data) {
    const [name, value] = toDataParameter(condition);
    conditions.set(name, [...(conditions.get(name) ?? []), value]);
  }
  return { type, source, subject, id, from, to, timeFrom, timeTo, order, select, ...Object.fromEntries(conditions) };
}

/** Writes to stdout, as fast as its reader takes it. Returns false where the reader has closed it, for example `head`. */
async function write(text: string): Promise<boolean> {
  const { stdout } = process;
  if (stdout.destroyed || stdout.errored) return false;
  if (!stdout.write(text)) await Promise.race([once(stdout, "drain"), once(stdout, "close")]).catch(() => undefined);
  return !stdout.destroyed && !stdout.errored;
}

await runCommand(command);
