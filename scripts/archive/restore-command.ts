import { setTimeout as delay } from "node:timers/promises";
import { type Command, Option } from "commander";
import { onInterrupt } from "../../cli/interrupt.ts";
import { pluralize } from "../../cli/pluralize.ts";
import { startProgress } from "../../cli/progress.ts";
import { exitCodes } from "../../cli/run-command.ts";
import { RESTORE_TARGETS, type RestoreTarget } from "../../functions/core/restore-job.ts";
import { RETENTIONS, type Retention } from "../../functions/core/retention.ts";
import { createApiClient } from "../access/api-client.ts";
import { print, printJson } from "../access/output.ts";
import { type FilterOptions, toFilter } from "../export/to-filter.ts";
import { findKey } from "../send/find-key.ts";
import { addStackOptions, findStackAddress, stackFlags, type StackOptions } from "../stack-address.ts";
import { createRestoresApi, type Restore, type RestoresApi } from "./restores-api.ts";

type Options = StackOptions &
  FilterOptions & {
    manifest?: string[];
    from?: string;
    to?: string;
    into: RestoreTarget;
    retention?: Retention;
    tenant?: string;
    dryRun?: true;
    watch?: string;
    cancel?: string;
    json?: true;
  };

const FIRST_PAUSE_MS = 300;
const LONGEST_PAUSE_MS = 3_000;

/** Gives a command the options of a restore, and runs it. */
export function addRestore(command: Command): Command {
  command
    .option("--manifest <keys...>", "manifests by their keys, as `npm run archive -- ls` prints them")
    .option("--from <day>", "the first UTC day of the receipt, for example 2026-11-29")
    .option("--to <day>", "the last one (default: the first)")
    .option("--type <types...>", "events of these types, in full or as com.example.*")
    .option("--source <sources...>", "the same for sources")
    .option("--filter <json>", "events that a filter matches; docs/filters.md has the language")
    .addOption(
      new Option("--into <place>", "among the live events, or apart").choices(RESTORE_TARGETS).default("beside"),
    )
    .addOption(
      new Option("--retention <class>", "the class of events among the live ones (default: keep)").choices(RETENTIONS),
    )
    .option("--tenant <name>", "the tenant, where the key is one of the installation")
    .option("--dry-run", "only say what would be read; nothing starts")
    .addOption(new Option("--watch <id>", "shows the progress of a restore").conflicts(["dryRun"]))
    .addOption(new Option("--cancel <id>", "ends one that is not finished").conflicts(["dryRun", "watch"]))
    .option("--json", "one JSON document");
  return addStackOptions(command)
    .addHelpText(
      "after",
      `
The key is read from the environment variable SLUICE_API_KEY; without it, the local runtime's own is taken.

The restore is a job of the stack: Ctrl-C leaves it running, and says how to watch and cancel it.

Exit codes: 0 done, 1 something was not restored, 2 it could not begin.`,
    )
    .action(run);
}

async function run(options: Options): Promise<void> {
  const { url, apiKey } = findStackAddress(options);
  const api = createRestoresApi(createApiClient(url, findKey(apiKey)), options.tenant);
  const signal = onInterrupt();
  if (options.cancel !== undefined) {
    await api.cancel(options.cancel);
    return show(api, options.cancel, options, signal);
  }
  if (options.watch !== undefined) return show(api, options.watch, options, signal);
  const { manifest: manifests, from, to, into, retention } = options;
  const body = { manifests, from, to, filter: toFilter(options), into, retention };
  if (options.dryRun) {
    const plan = await api.plan(body);
    if (options.json) return printJson(plan);
    for (const { key, rows, known } of plan.manifests)
      print(`${key}  ${pluralize(rows, "event")}${known ? "" : ", of another database"}`);
    return print(`${pluralize(plan.planned, "event")} would be read`);
  }
  const { id } = await api.start(body);
  if (!options.json) process.stderr.write(`Restore ${id}\n`);
  await show(api, id, options, signal);
}

async function show(api: RestoresApi, id: string, options: Options, signal: AbortSignal): Promise<void> {
  const job = await watch(api, await api.read(id), signal);
  if (job.state !== "done" || job.refused > 0 || job.conflicts > 0) process.exitCode = exitCodes.incomplete;
  if (options.json) return printJson(job);
  const flags = `${options.tenant === undefined ? "" : ` --tenant ${options.tenant}`}${stackFlags(options)}`;
  if (job.state === "running") {
    process.stderr.write(
      `The restore goes on. To watch it: npm run restore -- --watch ${id}${flags}; to end it: npm run restore -- --cancel ${id}${flags}\n`,
    );
    return;
  }
  const { restored, present, conflicts, refused, into, state, detail } = job;
  const end = state === "done" ? "" : `, and the restore ${state === "failed" ? "failed" : "was cancelled"}`;
  print(`${pluralize(restored, "event")} restored${end}`);
  if (present + conflicts + refused > 0)
    print(`${present} were there, ${conflicts} are stored with other content, ${refused} refused`);
  if (into === "beside" && restored > 0) print(`To read them: GET /restores/${id}/events`);
  if (detail !== undefined) print(detail);
}

/** Shows the progress of a job until it has ended, or until the signal. */
async function watch(api: RestoresApi, started: Restore, signal: AbortSignal): Promise<Restore> {
  const progress = startProgress(started.planned, "events");
  let found = started;
  let shown = 0;
  try {
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)) {
      progress.advance(found.read - shown);
      shown = found.read;
      if (found.state !== "running" || signal.aborted) return found;
      await delay(pause, undefined, { signal }).catch(() => undefined);
      found = await api.read(started.id);
    }
  } finally {
    progress.stop();
  }
}
