import { Command, Option } from "commander";
import { onInterrupt } from "../cli/interrupt.ts";
import { userPath } from "../cli/npm.ts";
import { httpUrl, positiveInteger } from "../cli/option-values.ts";
import { exitCodes, runCommand } from "../cli/run-command.ts";
import { MAX_REPLAYS } from "../functions/core/queue-limits.ts";
import { createApiClient } from "./access/api-client.ts";
import {
  addFilterOptions,
  addTenantOption,
  FILTER_HELP,
  type FilterOptions,
  KEY_HELP,
  toSelection,
} from "./dead-letters/filter-options.ts";
import { readEdits } from "./dead-letters/read-edits.ts";
import { createReplaysApi, type ReplaysApi } from "./replay/replays-api.ts";
import { printPlan, printReplay, watch } from "./replay/watch.ts";
import { findKey } from "./send/find-key.ts";
import { addStackOptions, findStackAddress, stackFlags, type StackOptions } from "./stack-address.ts";

type Options = StackOptions &
  FilterOptions & {
    dryRun?: true;
    limit?: number;
    rate?: number;
    maxReplays?: number;
    edits?: string;
    toQueue?: string;
    watch?: string;
    cancel?: string;
    json?: true;
  };

const command = new Command("npm run replay --").description(
  "Sends dead letters to the queue again, where the same checks run as the first time.",
);
addFilterOptions(command)
  .option("--filter <json>", "only events that a filter matches; docs/filters.md has the language")
  .option("--dry-run", "only count the events that would be replayed, and show the first of them")
  .option("--limit <n>", "at most this many events", positiveInteger("--limit"))
  .option("--rate <n>", "at most this many events a second on average", positiveInteger("--rate"))
  .option(
    "--max-replays <n>",
    `also events that were replayed often, up to this many times (default: ${MAX_REPLAYS})`,
    positiveInteger("--max-replays"),
  )
  .option("--edits <file>", "only the events of this file, as the file has them (see `dead-letters export`)", (file) =>
    userPath(file),
  )
  .option(
    "--to-queue <queue-url>",
    "to another queue, one of the stage's replayQueues",
    httpUrl("--to-queue", "https://sqs.eu-central-1.amazonaws.com/111122223333/queue"),
  )
  .addOption(new Option("--watch <id>", "shows the progress of a replay or discard").conflicts(["dryRun", "edits"]))
  .addOption(new Option("--cancel <id>", "ends one that is not finished").conflicts(["dryRun", "edits", "watch"]))
  .option("--json", "one JSON document");
addStackOptions(addTenantOption(command))
  .addHelpText("after", FILTER_HELP)
  .addHelpText("after", KEY_HELP)
  .addHelpText(
    "after",
    `
The replay is a job of the stack: Ctrl-C leaves it running, and says how to watch and cancel it. An event that is refused
again comes back with its replay count raised, and is not replayed a second time by the same replay.

Exit codes: 0 done, 1 something was not replayed, 2 it could not begin.`,
  )
  .action(run);

async function run(options: Options): Promise<void> {
  const { url, apiKey } = findStackAddress(options);
  const api = createReplaysApi(createApiClient(url, findKey(apiKey)), options.tenant);
  const signal = onInterrupt();
  if (options.cancel !== undefined) {
    await api.cancel(options.cancel);
    return show(api, options.cancel, options, signal);
  }
  if (options.watch !== undefined) return show(api, options.watch, options, signal);
  for (const body of await toBodies(options)) {
    if (options.dryRun) printPlan(await api.plan("/replays", body), { json: options.json, done: "replayed" });
    else {
      const { id, planned } = await api.start("/replays", body);
      if (!options.json) process.stderr.write(`Replay ${id}\n`);
      const { ids } = body;
      if (ids !== undefined && planned < ids.length) {
        process.stderr.write(
          `${ids.length - planned} of the named dead letters are not open, or were replayed too often\n`,
        );
        process.exitCode = exitCodes.incomplete;
      }
      await show(api, id, options, signal);
    }
    if (signal.aborted) return;
  }
}

/** The bodies of the replays: one, or as many as the corrected events need. */
async function toBodies(options: Options) {
  const { limit, rate, maxReplays, toQueue: to, edits } = options;
  const { ids, ...selection } = toSelection(options, Date.now());
  const body = { ...selection, limit, rate, maxReplays, to };
  if (edits === undefined) return [{ ...body, ids }];
  if (ids !== undefined) throw new Error("--edits names the dead letters already. Leave out --id.");
  return (await readEdits(edits)).map((part) => ({ ...body, ids: undefined, edits: part }));
}

async function show(api: ReplaysApi, id: string, options: Options, signal: AbortSignal): Promise<void> {
  const job = await watch(api, await api.read(id), signal);
  const flags = `${options.tenant === undefined ? "" : ` --tenant ${options.tenant}`}${stackFlags(options)}`;
  const again = `To watch it: npm run replay -- --watch ${id}${flags}; to end it: npm run replay -- --cancel ${id}${flags}`;
  printReplay(job, { json: options.json, again });
}

await runCommand(command);
