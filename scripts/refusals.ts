import { Command } from "commander";
import type * as z from "zod";
import { onInterrupt } from "../cli/interrupt.ts";
import { positiveInteger } from "../cli/option-values.ts";
import { pluralize } from "../cli/pluralize.ts";
import { runCommand } from "../cli/run-command.ts";
import { schemas } from "../functions/core/answer.ts";
import { type ApiClient, createApiClient } from "./access/api-client.ts";
import { printRows } from "./access/output.ts";
import { addTenantOption, KEY_HELP } from "./dead-letters/filter-options.ts";
import { findKey } from "./send/find-key.ts";
import { addStackOptions, findStackAddress, type StackOptions } from "./stack-address.ts";

type Asked = { from?: string; to?: string; code?: string; type?: string; pointer?: string };
type Options = StackOptions & Asked & { limit: number; samples?: true; json?: true; tenant?: string };

type Group = z.output<typeof schemas.Refusals>["groups"][number];
type Sample = Group["samples"][number];

const command = new Command("npm run refusals --")
  .description(
    "Shows which events were refused, why, and who sent them: the latest day first, in it the largest group.",
  )
  .option("--from <day>", "the first day (UTC), for example 2026-11-29 (default: a week)")
  .option("--to <day>", "the last day (default: today)")
  .option("--code <code>", "only refusals with this code, for example required")
  .option("--type <type>", "only events of this type, in full or as com.example.*")
  .option("--pointer <pointer>", "only errors at this place, for example /data/items/*/sku")
  .option("--limit <n>", "at most this many groups", positiveInteger("--limit"), 50)
  .option("--samples", "the samples of each group, in place of the groups")
  .option("--json", "one JSON document, with the samples")
  .addHelpText("after", `${KEY_HELP}\n\nExit codes: 0 done, 2 refused or not possible.`)
  .action(showRefusals);
addStackOptions(addTenantOption(command));

async function showRefusals({ tenant, limit, samples, json, ...options }: Options): Promise<void> {
  const { url, apiKey } = findStackAddress(options);
  const { from, to, code, type, pointer } = options;
  const groups = await read(
    createApiClient(url, findKey(apiKey)),
    { from, to, code, type, pointer },
    { tenant, limit },
  );
  const tenants = new Set(groups.map((group) => group.tenant));
  const withTenant = <T>(cell: T): T[] => (tenants.size > 1 ? [cell] : []);
  if (samples && !json) {
    const rows = groups.flatMap((group) => group.samples.map((sample) => ({ group, sample })));
    const head = [...withTenant("TENANT"), "AT", "CODE", "TYPE", "POINTER", ...SENDER, "ID", "MEMBERS"];
    const cells = ({ group, sample }: (typeof rows)[number]) => [
      ...withTenant(group.tenant),
      sample.at,
      ...causeOf(group),
      ...senderOf(sample),
      sample.id ?? "",
      membersOf(sample),
    ];
    printRows(rows, { json, head, cells });
  } else {
    const head = [...withTenant("TENANT"), "DAY", "COUNT", "LAST", "CODE", "TYPE", "POINTER", ...SENDER];
    const cells = (group: Group) => [
      ...withTenant(group.tenant),
      group.day,
      String(group.count),
      group.last,
      ...causeOf(group),
      ...senderOf(group.samples[0]),
    ];
    printRows(groups, { json, head, cells });
  }
  const total = groups.reduce((sum, { count }) => sum + count, 0);
  process.stderr.write(`${pluralize(total, "refusal")} in ${pluralize(groups.length, "group")}\n`);
}

/** The groups of a request, page by page. */
async function read(
  api: ApiClient,
  query: { [Name in keyof Asked]: Asked[Name] | undefined },
  { tenant, limit }: { tenant: string | undefined; limit: number },
): Promise<Group[]> {
  const signal = onInterrupt();
  const found: Group[] = [];
  let cursor: string | undefined;
  do {
    const request = { method: "GET", path: "/refusals", query: { ...query, cursor }, tenant } as const;
    const { groups, next } = await api.call(request, schemas.Refusals);
    found.push(...groups);
    cursor = next ?? undefined;
  } while (cursor !== undefined && found.length < limit && !signal.aborted);
  return found.slice(0, limit);
}

/** Of the latest sample, in the table of groups. */
const SENDER = ["KEY", "SOURCE", "USER AGENT"];

const senderOf = (sample: Sample | undefined): string[] => [
  sample?.keyId ?? "",
  sample?.source ?? "",
  sample?.userAgent ?? "",
];

const causeOf = ({ code, type = "", pointer }: Group): string[] => [code, type, pointer];

const membersOf = ({ members = {} }: Sample): string =>
  Object.entries(members)
    .map(([name, shape]) => `${name} ${shape}`)
    .join(", ");

await runCommand(command);
