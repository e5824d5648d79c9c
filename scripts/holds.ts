import { Command } from "commander";
import type * as z from "zod";
import { pluralize } from "../cli/pluralize.ts";
import { runCommand } from "../cli/run-command.ts";
import { schemas } from "../functions/core/answer.ts";
import { createApiClient } from "./access/api-client.ts";
import { print, printJson, printRecord, printRows } from "./access/output.ts";
import { type FilterOptions, toFilter } from "./export/to-filter.ts";
import { findKey } from "./send/find-key.ts";
import { addStackOptions, findStackAddress, type StackOptions } from "./stack-address.ts";

type Hold = z.output<typeof schemas.Hold>;
type Options = StackOptions & { tenant?: string; json?: true };

const command = new Command("npm run holds --")
  .description("Makes, lists and releases legal holds: events that neither retention nor an erasure deletes.")
  .addHelpText(
    "after",
    `
The key is read from the environment variable SLUICE_API_KEY; without it, the local runtime's own is taken. It needs the
scope \`admin\`.

Exit codes: 0 done, 2 refused or not possible.`,
  );

const list = command.command("ls").description("one hold a line, latest first").action(listHolds);
const create = command
  .command("create")
  .description("holds the events that match, stored now or later")
  .requiredOption("--reason <text>", "why, for example the number of a case")
  .option("--type <types...>", "events of these types, in full or as com.example.*")
  .option("--source <sources...>", "the same for sources")
  .option("--filter <json>", "events that a filter matches; docs/filters.md has the language")
  .option("--all", "every event of the tenant")
  .option("--until <time>", "the time at which it ends by itself, for example 2027-06-30T00:00:00Z")
  .action(createHold);
const release = command
  .command("release")
  .argument("<id>", "of the hold")
  .description("releases a hold; events whose day is over go with the next daily run")
  .requiredOption("--reason <text>", "why")
  .action(releaseHold);
for (const each of [list, create, release]) {
  each
    .option("--tenant <name>", "the tenant, where the key is one of the installation")
    .option("--json", "one JSON document");
  addStackOptions(each);
}

function openApi(options: Options) {
  const { url, apiKey } = findStackAddress(options);
  return createApiClient(url, findKey(apiKey));
}

async function listHolds({ json, tenant, ...options }: Options): Promise<void> {
  const api = openApi(options);
  const all: Hold[] = [];
  let after: string | undefined;
  do {
    const page = await api.call({ method: "GET", path: "/holds", query: { after }, tenant }, schemas.Holds);
    all.push(...page.holds);
    after = page.next;
  } while (after !== undefined);
  printRows(all, {
    json,
    head: ["HOLD", "STATE", "SINCE", "UNTIL", "REASON", "FILTER"],
    cells: ({ id, state, createdAt, until = "released", reason, filter }) => [
      id,
      state,
      createdAt,
      until,
      reason,
      filter === undefined ? "every event" : JSON.stringify(filter),
    ],
  });
  process.stderr.write(`${pluralize(all.length, "hold")}\n`);
}

async function createHold({
  json,
  tenant,
  reason,
  until,
  all,
  ...options
}: Options & FilterOptions & { reason: string; until?: string; all?: true }): Promise<void> {
  const filter = toFilter(options);
  if ((filter === undefined) === (all === undefined))
    throw new Error("Name the events by --type, --source or --filter, or hold --all of the tenant.");
  const body = { filter, reason, until };
  const made = await openApi(options).call({ method: "POST", path: "/holds", body, tenant }, schemas.MadeHold);
  if (json) return printJson(made);
  const { matches, ...hold } = made;
  printRecord(hold);
  print(`${matches.complete ? "" : "at least "}${pluralize(matches.count, "event")} that are stored now match`);
}

async function releaseHold(
  id: string,
  { json, tenant, reason, ...options }: Options & { reason: string },
): Promise<void> {
  const path = `/holds/${encodeURIComponent(id)}/release` as const;
  const hold = await openApi(options).call({ method: "POST", path, body: { reason }, tenant }, schemas.Hold);
  if (json) printJson(hold);
  else printRecord(hold);
}

await runCommand(command);
