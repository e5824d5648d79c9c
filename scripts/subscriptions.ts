import { type Command as Subcommand, Command, Option } from "commander";
import { onInterrupt } from "../cli/interrupt.ts";
import { positiveInteger } from "../cli/option-values.ts";
import { runCommand } from "../cli/run-command.ts";
import { ATTEMPT_STATUSES, DELIVERY_STATES } from "../functions/core/delivery.ts";
import { SECRET_OVERLAP_DEFAULT_HOURS, SECRET_OVERLAP_MAX_HOURS } from "../functions/core/subscription-limits.ts";
import { createApiClient } from "./access/api-client.ts";
import { printJson, printRecord } from "./access/output.ts";
import { KEY_HELP } from "./dead-letters/filter-options.ts";
import { toFilter } from "./export/to-filter.ts";
import { findKey } from "./send/find-key.ts";
import { addStackOptions, findStackAddress, stackFlags, type StackOptions } from "./stack-address.ts";
import { printMade, printRotated } from "./subscriptions/print-made.ts";
import { printList } from "./subscriptions/print-list.ts";
import {
  attemptTable,
  deliveryTable,
  failureTable,
  retryTable,
  stateOf,
  subscriptionTable,
  toRecord,
} from "./subscriptions/render.ts";
import {
  addDeliveryOptions,
  addFilterOptions,
  addSinkOptions,
  type DeliveryOptions,
  type FilterOptions,
  NONE,
  type SinkOptions,
  toSettings,
  toSink,
} from "./subscriptions/setting-options.ts";
import { createSubscriptionsApi } from "./subscriptions/subscriptions-api.ts";
import { type EventOptions, printVerdict, toTest } from "./subscriptions/test-event.ts";
import { printRetry, printRetryPlan, watchRetry } from "./subscriptions/watch-retry.ts";

type Options = StackOptions & { json?: true; tenant?: string };
type ListOptions = Options & { limit: number };
type SettingOptions = Options & FilterOptions & DeliveryOptions & SinkOptions & { name?: string };

const command = new Command("npm run subscriptions --")
  .description("Makes and changes subscriptions, and shows what became of their deliveries.")
  .addHelpText(
    "after",
    `${KEY_HELP}
docs/webhooks.md says how a receiver verifies webhooks; \`npm run listen\` is one, to try it.

Exit codes: 0 done, 1 an event does not match or a retry did not deliver everything, 2 refused or not possible.`,
  );

const named = (name: string, description: string) =>
  command.command(name).argument("<id>", "of the subscription").description(description);

const list = command.command("list").description("one subscription a line").action(listAll);
const create = command
  .command("create")
  .description("makes a subscription, and prints the secret of its webhooks, once")
  .requiredOption("--name <name>", "for people")
  .option("--from <start>", "now, an instant such as 2026-11-29T00:00:00Z, or a cursor of the feed (default: now)")
  .action(createOne);
named("show", "everything but the secret, and the number of events by what became of them").action(showOne);
const change = named("change", "changes the settings that are named")
  .option("--name <name>", "for people")
  .action(changeOne);
named("delete", "deletes it, with its deliveries and attempts").action(deleteOne);
const test = command
  .command("test")
  .argument("[id]", "of a subscription; without it, the filter of the options")
  .description("says whether an event matches, and why not")
  .addOption(new Option("--event <file>", "an event as JSON; - is stdin").conflicts("stored"))
  .option("--stored <event-id>", "an event that is stored")
  .option("--stored-source <source>", "its source, where several used the id")
  .action(testEvent);
named("seek", "goes on from another place; what matched already is delivered again")
  .requiredOption("--from <start>", "now, an instant, or a cursor of the feed")
  .action(seekTo);
named("disable", "delivers nothing until it is enabled, and loses nothing").action((id, options) =>
  setState(id, "disable", options),
);
named("enable", "goes on where it was").action((id, options) => setState(id, "enable", options));
named("rotate", "makes another secret and prints it, once")
  .option(
    "--overlap-hours <n>",
    `the hours for which the old one signs too, 0 to ${SECRET_OVERLAP_MAX_HOURS} (default: ${SECRET_OVERLAP_DEFAULT_HOURS})`,
    hours,
  )
  .action(rotateSecret);
const attempts = named("attempts", "one attempt a line, the latest first")
  .addOption(new Option("--status <status>", "how it ended").choices(ATTEMPT_STATUSES))
  .option("--code <n>", "the HTTP status of the answer", positiveInteger("--code"))
  .option("--event <id>", "of an event")
  .option("--from <instant>", "at that time or later")
  .option("--to <instant>", "before that time")
  .action(listAttempts);
const deliveries = named("deliveries", "one delivery a line, the latest first")
  .addOption(new Option("--state <state>", "how it stands").choices(DELIVERY_STATES))
  .option("--event <id>", "of an event")
  .action(listDeliveries);
const failures = named("failures", "the failed deliveries by error, the most frequent first").action(groupFailures);
const retry = named("retry", "sends failed deliveries again, and waits for the result")
  .option("--code <codes...>", "only those whose last answer had one of these HTTP statuses")
  .option("--from <instant>", "only those whose last attempt was then or later")
  .option("--to <instant>", "only those whose last attempt was before")
  .option("--limit <n>", "at most so many, the oldest first", positiveInteger("--limit"))
  .option("--dry-run", "only counts them, and shows some")
  .action(retryFailed);
const retries = named("retries", "one retry a line, the latest first")
  .addOption(new Option("--watch <retry>", "shows the progress of one, to its end"))
  .addOption(new Option("--cancel <retry>", "ends one").conflicts("watch"))
  .action(listRetries);

for (const each of [create, change]) addDeliveryOptions(addSinkOptions(each));
for (const each of [create, test, retry]) addFilterOptions(each);
addFilterOptions(change, `; ${NONE} takes it away`);
const lists: Subcommand[] = [list, attempts, deliveries, retries];
for (const each of lists) each.option("--limit <n>", "at most so many lines", positiveInteger("--limit"), 100);
for (const each of command.commands)
  addStackOptions(
    each
      .option("--tenant <name>", "the tenant, where the key is one of the installation")
      .option("--json", lists.includes(each) || each === failures ? "one JSON object a line" : "one JSON document"),
  );

function open(options: Options) {
  const { url, apiKey } = findStackAddress(options);
  return createSubscriptionsApi(createApiClient(url, findKey(apiKey)), options.tenant);
}

async function listAll(options: ListOptions): Promise<void> {
  printList(await open(options).list(options.limit), options, subscriptionTable, "subscription");
}

async function createOne(options: SettingOptions & { from?: string }): Promise<void> {
  const { name, from } = options;
  const sink = toSink(options);
  if (sink === undefined) throw new Error("A subscription needs a sink: --url, --email, --slack, --sns or --sqs.");
  const { filter, rate, ...settings } = toSettings(options);
  // There is nothing yet to take away.
  const body = { name, sink, from, filter: filter ?? undefined, rate: rate ?? undefined, ...settings };
  printMade(await open(options).create(body), options);
}

async function showOne(id: string, options: Options): Promise<void> {
  const found = await open(options).read(id);
  if (options.json) printJson(found);
  else printRecord(toRecord(found));
}

async function changeOne(id: string, options: SettingOptions): Promise<void> {
  const body = { name: options.name, sink: toSink(options), ...toSettings(options) };
  if (Object.values(body).every((value) => value === undefined))
    throw new Error("Nothing is changed. Name a setting; `npm run subscriptions -- change --help` lists them.");
  const api = open(options);
  await api.change(id, body);
  await showOne(id, options);
}

async function deleteOne(id: string, options: Options): Promise<void> {
  const api = open(options);
  const found = await api.read(id);
  await api.remove(id);
  if (options.json) return printJson(found);
  process.stderr.write(
    `${found.name} is deleted, with ${found.ledger.pending} pending and ${found.ledger.failed} failed deliveries\n`,
  );
}

async function testEvent(id: string | undefined, options: Options & FilterOptions & EventOptions): Promise<void> {
  const body = await toTest(id, toFilter(options), options);
  printVerdict(await open(options).test(body), options);
}

async function seekTo(id: string, options: Options & { from: string }): Promise<void> {
  const found = await open(options).seek(id, options.from);
  if (options.json) return printJson(found);
  process.stderr.write(`${found.name} goes on from ${options.from}; what it delivers again has other webhook-ids\n`);
}

async function setState(id: string, state: "disable" | "enable", options: Options): Promise<void> {
  const found = await open(options).setState(id, state);
  if (options.json) return printJson(found);
  process.stderr.write(`${found.name} is ${stateOf(found)}\n`);
}

async function rotateSecret(id: string, options: Options & { overlapHours?: number }): Promise<void> {
  printRotated(await open(options).rotate(id, options.overlapHours), options);
}

async function listAttempts(
  id: string,
  options: ListOptions & { status?: string; code?: number; event?: string; from?: string; to?: string },
): Promise<void> {
  const { status, code, event, from, to, limit } = options;
  printList(
    await open(options).attempts(id, { status, code, event, from, to }, limit),
    options,
    attemptTable,
    "attempt",
  );
}

async function listDeliveries(id: string, options: ListOptions & { state?: string; event?: string }): Promise<void> {
  const { state, event, limit } = options;
  printList(await open(options).deliveries(id, { state, event }, limit), options, deliveryTable, [
    "delivery",
    "deliveries",
  ]);
}

async function groupFailures(id: string, options: Options): Promise<void> {
  const groups = await open(options).failures(id);
  printList({ rows: groups, isWhole: true }, options, failureTable, "group");
}

async function retryFailed(
  id: string,
  options: Options & FilterOptions & { code?: string[]; from?: string; to?: string; limit?: number; dryRun?: true },
): Promise<void> {
  const { code, from, to, limit, dryRun, json } = options;
  const api = open(options);
  const body = { filter: toFilter(options), codes: code?.map(positiveInteger("--code")), from, to, limit };
  if (dryRun) return printRetryPlan(await api.planRetry(id, body), { json });
  const signal = onInterrupt();
  const started = await api.retry(id, body);
  const again = againOf(started.id, id, options);
  if (!json) process.stderr.write(`Retry ${started.id}\n`);
  printRetry(await watchRetry(api, started, signal), { json, again });
}

async function listRetries(id: string, options: ListOptions & { watch?: string; cancel?: string }): Promise<void> {
  const { watch, cancel, json, limit } = options;
  const api = open(options);
  if (cancel !== undefined) {
    const cancelled = await api.cancelRetry(id, cancel);
    return printRetry(cancelled, { json, again: againOf(cancel, id, options) });
  }
  if (watch === undefined) return printList(await api.retries(id, limit), options, retryTable, ["retry", "retries"]);
  const found = await watchRetry(api, await api.readRetry(id, watch), onInterrupt());
  printRetry(found, { json, again: againOf(watch, id, options) });
}

function againOf(retryId: string, id: string, options: Options): string {
  const flags = `${options.tenant === undefined ? "" : ` --tenant ${options.tenant}`}${stackFlags(options)}`;
  const words = (verb: string) => `npm run subscriptions -- retries ${id} --${verb} ${retryId}${flags}`;
  return `To watch it: ${words("watch")}; to end it: ${words("cancel")}`;
}

function hours(text: string): number {
  if (/^\d{1,3}$/.test(text) && Number(text) <= SECRET_OVERLAP_MAX_HOURS) return Number(text);
  throw new Error(`--overlap-hours takes a number from 0 to ${SECRET_OVERLAP_MAX_HOURS}, not ${text}.`);
}

await runCommand(command);
