import { Command } from "commander";
import { pluralize } from "../cli/pluralize.ts";
import { exitCodes, runCommand } from "../cli/run-command.ts";
import type { AuditEntry, AuditHead } from "../functions/core/access.ts";
import { EMPTY_HEAD, verifyChain } from "../functions/core/audit.ts";
import { positiveInteger } from "../cli/option-values.ts";
import { openApiClient } from "./access/api-client.ts";
import { findUnrecordedKeys } from "./access/find-unrecorded-keys.ts";
import { print, printJson, printRows } from "./access/output.ts";
import { readChain } from "./access/read-chain.ts";
import { addStackOptions, type StackOptions } from "./stack-address.ts";

type Options = StackOptions & { json?: true; tenant?: string };

const command = new Command("npm run audit --")
  .description("Shows who changed which key and tenant, and verifies that nothing of it was changed afterwards.")
  .addHelpText(
    "after",
    `
Without --tenant, a key of the installation reads the log of the installation itself.

Every key of the tenant must be in an entry. Beyond that, whoever can write the whole table can write a whole other chain, or
cut the end off and set the head to match. Keep the head that \`verify\` prints elsewhere, and give it
to a later \`verify\` with --from-head: then that is found too.

Exit codes: 0 done, 1 the log was changed, 2 it could not be read.`,
  );

const list = command
  .command("list")
  .description("one entry a line, oldest first")
  .option("--after <number>", "only entries after this one", positiveInteger("--after"))
  .action(listEntries);
const verify = command
  .command("verify")
  .description("verifies all entries, and that each key is in one, and prints the head")
  .option("--from-head <number:hash>", "a head that was printed earlier", readHead)
  .action(verifyEntries);
for (const each of [list, verify])
  addStackOptions(
    each.option("--tenant <name>", "the tenant, where the command's own key is one of the installation"),
  ).option("--json", "one JSON document");

async function listEntries({ tenant, after, json, ...options }: Options & { after?: number }): Promise<void> {
  const api = await openApiClient(options);
  const { entries } = await readChain(api, { tenant, ...(after !== undefined && { after }) });
  printRows(entries, { json, head: ["NUMBER", "AT", "WHO", "ACTION", "TARGET", "DETAILS", "REQUEST"], cells });
  process.stderr.write(`${pluralize(entries.length, "change")}\n`);
}

function cells({ number, at, who, action, target, details, requestId }: AuditEntry): string[] {
  return [String(number), at, who, action, target, JSON.stringify(details), requestId];
}

async function verifyEntries({
  tenant,
  fromHead,
  json,
  ...options
}: Options & { fromHead?: AuditHead }): Promise<void> {
  const api = await openApiClient(options);
  const chain = await readChain(api, { tenant });
  const { entries, head } = chain;
  const fault = verifyChain(entries, head, fromHead) ?? unrecorded(await findUnrecordedKeys(api, { chain, tenant }));
  // The last entry may be one that the head has yet to be moved to.
  const last = entries.at(-1) ?? EMPTY_HEAD;
  if (fault !== undefined) process.exitCode = exitCodes.incomplete;
  if (json) return printJson({ entries: entries.length, head: { number: last.number, hash: last.hash }, fault });
  if (fault !== undefined) {
    process.stderr.write(`${fault.message}\n`);
    return;
  }
  print(`${last.number}:${last.hash}`);
  process.stderr.write(
    entries.length === 0
      ? "There is no entry, and no key. If there were changes, all entries and the head were removed\n"
      : `${pluralize(entries.length, "change")} as they were written. Keep the head\n`,
  );
}

/** The fault of a log in which keys are missing. */
function unrecorded(keys: readonly string[]) {
  if (keys.length === 0) return undefined;
  const those = keys.length === 1 ? `the key ${keys[0]}` : `${keys.length} keys, of which ${keys[0]} is one`;
  const message = `No entry made ${those}: entries were removed, or somebody wrote into the table of keys.`;
  return { kind: "unrecorded_key", keys, message };
}

/** @throws Error that says what a head looks like */
function readHead(text: string): AuditHead {
  const [, number, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (number === undefined || hash === undefined)
    throw new Error(`--from-head takes a head that \`verify\` printed, such as 12:3f…, not ${text}.`);
  return { number: Number(number), hash };
}

await runCommand(command);
