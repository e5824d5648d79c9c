import { createInterface } from "node:readline/promises";
import { setTimeout as delay } from "node:timers/promises";
import { type Command, Option } from "commander";
import { onInterrupt } from "../../cli/interrupt.ts";
import { pluralize } from "../../cli/pluralize.ts";
import { exitCodes } from "../../cli/run-command.ts";
import { ERASURE_SUPPRESSIONS, type ErasureSuppression } from "../../functions/core/erasure-job.ts";
import { createApiClient } from "../access/api-client.ts";
import { print, printJson } from "../access/output.ts";
import { toFilter } from "../export/to-filter.ts";
import { findKey } from "../send/find-key.ts";
import { addStackOptions, findStackAddress, stackFlags, type StackOptions } from "../stack-address.ts";
import { createErasuresApi, type Erasure, type ErasurePlan, type ErasuresApi } from "./erasures-api.ts";

type Options = StackOptions & {
  subject?: string;
  id?: string[];
  source?: string;
  filter?: string;
  reason?: string;
  suppress?: ErasureSuppression;
  tenant?: string;
  dryRun?: true;
  confirm?: string;
  watch?: string;
  cancel?: string;
  json?: true;
};

const FIRST_PAUSE_MS = 300;
const LONGEST_PAUSE_MS = 3_000;

/** Gives a command the options of an erasure, and runs it. */
export function addErase(command: Command): Command {
  command
    .option("--subject <subject>", "the events with this subject")
    .option("--id <ids...>", "the events with these ids")
    .option("--source <source>", "the source of the ids (default: every source)")
    .option("--filter <json>", "the events that a filter matches; docs/filters.md has the language")
    .option("--reason <text>", "why; it stands in the receipt for years: name the request, and not the person")
    .addOption(
      new Option("--suppress <time>", "for how long events are refused that are accepted later").choices(
        ERASURE_SUPPRESSIONS,
      ),
    )
    .option("--tenant <name>", "the tenant, where the key is one of the installation")
    .option("--dry-run", "only say how much there is; nothing starts")
    .option("--confirm <number>", "the number of events that the plan has; without it, it is asked for")
    .addOption(new Option("--watch <id>", "shows the progress of an erasure, and its receipt").conflicts(["dryRun"]))
    .addOption(new Option("--cancel <id>", "ends one that has not started").conflicts(["dryRun", "watch"]))
    .option("--json", "one JSON document");
  return addStackOptions(command)
    .addHelpText(
      "after",
      `
The key is read from the environment variable SLUICE_API_KEY; without it, the local runtime's own is taken.

It shows how much there is of each place, and starts when the number of events is typed. The erasure is a job of the stack: Ctrl-C
leaves it running, and says how to watch it. What is erased cannot be brought back.

Exit codes: 0 done, 1 not erased or not all of it, 2 it could not begin.`,
    )
    .action(run);
}

async function run(options: Options): Promise<void> {
  const { url, apiKey } = findStackAddress(options);
  const api = createErasuresApi(createApiClient(url, findKey(apiKey)), options.tenant);
  const signal = onInterrupt();
  if (options.cancel !== undefined) {
    await api.cancel(options.cancel);
    return show(api, options.cancel, options, signal);
  }
  if (options.watch !== undefined) return show(api, options.watch, options, signal);
  const body = toBody(options);
  const plan = await api.plan(body);
  if (options.dryRun && options.json) return printJson(plan);
  printPlan(plan, options.json);
  if (options.dryRun) return;
  if (!(await isConfirmed(plan, options, signal))) {
    process.stderr.write("Nothing was erased\n");
    process.exitCode = exitCodes.incomplete;
    return;
  }
  const { id } = await api.start(body);
  if (!options.json) process.stderr.write(`Erasure ${id}\n`);
  await show(api, id, options, signal);
}

/** @throws Error that names the option */
function toBody({ subject, id, source, filter, reason, suppress }: Options): object {
  if ([subject, id, filter].filter((each) => each !== undefined).length !== 1)
    throw new Error("Give one of --subject, --id and --filter.");
  if (source !== undefined && id === undefined) throw new Error("--source belongs to --id.");
  if (reason === undefined) throw new Error("Give a --reason: it stands in the receipt.");
  const ids = id?.map((each) => (source === undefined ? each : { source, id: each }));
  return { subject, ids, filter: toFilter({ ...(filter !== undefined && { filter }) }), reason, suppress };
}

function printPlan({ planned }: ErasurePlan, json: true | undefined): void {
  const { events, deadLetters, deliveries, restored, exports, archive, complete } = planned;
  const lines = [
    `${complete ? "" : "at least "}${pluralize(events, "event")}, ${pluralize(deadLetters, "dead letter")}, ${deliveries} deliveries` +
      (restored > 0 ? `, ${restored} of restores` : ""),
    `${pluralize(exports, "file")} of exports and ${pluralize(archive, "part")} of the archive to be searched`,
  ];
  for (const line of lines)
    if (json) process.stderr.write(`${line}\n`);
    else print(line);
}

/** The number of events is typed, so that nobody erases another number than the plan has shown. */
async function isConfirmed({ planned }: ErasurePlan, { confirm }: Options, signal: AbortSignal): Promise<boolean> {
  if (confirm !== undefined) return confirm === String(planned.events);
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await lines.question("Type the number of events to erase them for ever: ", { signal });
    return answer.trim() === String(planned.events);
  } catch {
    return false;
  } finally {
    lines.close();
  }
}

async function show(api: ErasuresApi, id: string, options: Options, signal: AbortSignal): Promise<void> {
  const job = await watch(api, id, options, signal);
  const { state, failure, detail, receipt } = job;
  if (state !== "done") process.exitCode = exitCodes.incomplete;
  if (options.json) return printJson(job);
  if (state === "waiting" || state === "running") {
    const flags = `${options.tenant === undefined ? "" : ` --tenant ${options.tenant}`}${stackFlags(options)}`;
    process.stderr.write(`The erasure goes on. To watch it: npm run erase -- --watch ${id}${flags}\n`);
    return;
  }
  if (receipt === undefined) return print("The erasure was cancelled: nothing was erased");
  const { counts, backupsExpireAt, sha256 } = receipt;
  print(`${pluralize(counts.events, "event")} erased${state === "done" ? "" : `, and the erasure failed: ${failure}`}`);
  if (detail !== undefined) print(detail);
  print(
    Object.entries(counts)
      .map(([place, count]) => `${place} ${count}`)
      .join(", "),
  );
  print(`No backup has them after ${backupsExpireAt}`);
  print(`SHA-256 of the receipt: ${sha256}`);
}

/** Waits until a job has ended, or until the signal, and says where it works. */
async function watch(api: ErasuresApi, id: string, { json }: Options, signal: AbortSignal): Promise<Erasure> {
  let shown = "";
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)) {
    const found = await api.read(id);
    const now = found.state === "waiting" ? `It starts at ${found.startsAt}` : (found.place ?? "");
    if (!json && now !== shown && found.finishedAt === undefined) process.stderr.write(`${now}\n`);
    shown = now;
    if (found.finishedAt !== undefined || signal.aborted) return found;
    await delay(pause, undefined, { signal }).catch(() => undefined);
  }
}
