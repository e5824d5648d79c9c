import { setTimeout as delay } from "node:timers/promises";
import { Command } from "commander";
import { onInterrupt } from "../cli/interrupt.ts";
import { apiUrl, positiveInteger } from "../cli/option-values.ts";
import { exitCodes, runCommand } from "../cli/run-command.ts";
import { FEED_DEFAULT_EVENTS, FEED_MAX_EVENTS } from "../functions/core/feed-limits.ts";
import { shellWord } from "../cli/shell-word.ts";
import { toDataParameter } from "./data-parameter.ts";
import { findApi } from "./send/find-api.ts";
import { findKey } from "./send/find-key.ts";
import { addStackOptions, findStackAddress, stackFlags, type StackOptions } from "./stack-address.ts";
import { eventLine, headLine } from "./tail/columns.ts";
import { follow } from "./tail/follow.ts";

type Options = StackOptions & {
  url?: string;
  after?: string;
  tenant?: string;
  type?: string[];
  source?: string[];
  subject?: string[];
  id?: string[];
  data?: string[];
  count?: number;
  json?: true;
};

const command = new Command("npm run tail --")
  .description("Follows the feed: prints each event as soon as it is stored, and misses none.")
  .option("--type <types...>", "event types, in full or as com.example.*")
  .option("--source <sources...>", "sources, in full or as /shop/*")
  .option("--subject <subjects...>", "subjects")
  .option("--id <ids...>", "ids")
  .option("--data <conditions...>", "conditions on the data: total[gte]=100, currency=EUR")
  .option("--after <cursor>", "from a cursor on, or from the start of what is retained: start (default: from now on)")
  .option("--count <n>", "ends after so many events", positiveInteger("--count"))
  .option("--json", "one JSON object a line, as the event is stored (default where the output is no terminal)")
  .option("--tenant <name>", "the tenant, where the key is one of the installation")
  .option("--url <url>", "the API's URL (default: that of the local runtime)", apiUrl("--url"));
addStackOptions(command)
  .addHelpText(
    "after",
    `
The key is read from the environment variable SLUICE_API_KEY; without it, the local runtime's own is taken.

Ctrl-C ends it and prints the cursor to go on with. Where the API does not answer, it asks again until it does.

Exit codes: 0 ended by Ctrl-C or --count, 2 refused or not possible.`,
  )
  .action(tail);

async function tail(options: Options): Promise<void> {
  const filter = toParameters(options);
  const { url, apiKey } = options.url === undefined ? findStackAddress(options) : { url: options.url };
  await findApi(url, "Start the runtime with `npm start`, or check the URL and the network.");
  const key = findKey(apiKey);
  const { tenant } = options;

  const signal = onInterrupt();
  // The reader of a pipe, for example `head`, has enough. Node never calls its own output destroyed.
  process.stdout.once("close", () => process.exit(exitCodes.done));
  const isForPeople = options.json === undefined && process.stdout.isTTY;
  const columns = () => (process.stdout.isTTY ? process.stdout.columns : Infinity);
  if (isForPeople) await write(headLine(columns()));
  let left = options.count ?? Infinity;
  let cursor: string | undefined;
  try {
    const parts = follow(
      { url, key, tenant },
      {
        after: options.after,
        filter,
        limit: Math.min(left, options.count === undefined ? FEED_DEFAULT_EVENTS : FEED_MAX_EVENTS),
        signal,
        onRetry: (why) => process.stderr.write(`${why}\n`),
        pause: (milliseconds) => delay(milliseconds, undefined, { signal }).catch(() => undefined),
      },
    );
    for await (const { events, next } of parts) {
      const shown = events.slice(0, left);
      for (const event of shown) await write(isForPeople ? eventLine(event, columns()) : event);
      left -= shown.length;
      // The cursor behind events that were not shown would skip them.
      if (shown.length === events.length) cursor = next;
      if (left === 0) break;
    }
  } finally {
    if (cursor !== undefined) process.stderr.write(`To go on: npm run tail -- --after ${cursor}${flagsOf(options)}\n`);
  }
  process.exitCode = exitCodes.done;
}

/** Writes a line, and waits while the reader of a pipe is behind. */
async function write(line: string): Promise<void> {
  if (!process.stdout.write(`${line}\n`)) await new Promise((resolve) => process.stdout.once("drain", resolve));
}

function toParameters({ type, source, subject, id, data }: Options): [name: string, value: string][] {
  const attributes = Object.entries({ type, source, subject, id }).flatMap(([name, values = []]) =>
    values.map((value): [string, string] => [name, value]),
  );
  return [...attributes, ...(data ?? []).map(toDataParameter)];
}

function flagsOf(options: Options): string {
  const { type, source, subject, id, data, url, tenant } = options;
  const flags = Object.entries({ type, source, subject, id, data, url, tenant }).map(([name, value]) =>
    value === undefined ? "" : ` --${name} ${[value].flat().map(shellWord).join(" ")}`,
  );
  return `${flags.join("")}${stackFlags(options)}`;
}

await runCommand(command);
