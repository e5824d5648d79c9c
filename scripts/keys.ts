import { Command, Option } from "commander";
import * as z from "zod";
import { pluralize } from "../cli/pluralize.ts";
import { runCommand } from "../cli/run-command.ts";
import type { ListedKey, MadeKey } from "../functions/core/access-answers.ts";
import { schemas } from "../functions/core/answer.ts";
import { INSTALLATION, ROLES } from "../functions/core/scopes.ts";
import { openApiClient } from "./access/api-client.ts";
import { listKeys as listAll } from "./access/list-keys.ts";
import {
  addLimitOptions,
  describeLimits,
  type LimitOptions,
  refuseBurstAlone,
  toLimits,
} from "./access/limit-options.ts";
import { print, printJson, printRecord, printRows } from "./access/output.ts";
import { addStackOptions, type StackOptions } from "./stack-address.ts";

type Options = StackOptions & { json?: true; tenant?: string };
type CreateOptions = Options &
  LimitOptions & { role: string; name?: string; expires?: string; types?: string[]; sources?: string[] };

const command = new Command("npm run keys --").description("Makes, lists, rotates and revokes API keys.").addHelpText(
  "after",
  `
The command itself uses the key in SLUICE_API_KEY; else that of the runtime on this machine; else, for --outputs, one of the
installation that it makes for a quarter of an hour by invoking the function \`access\` with your AWS credentials.

Exit codes: 0 done, 2 refused or not possible.`,
);

const create = command
  .command("create")
  .description("makes a key and prints it, once")
  .addOption(new Option("--role <role>", "what the key may do").choices(ROLES).makeOptionMandatory())
  .option("--name <name>", "for people")
  .option("--expires <when>", "the end of the key: 12h, 90d, or an instant; without it there is none")
  .option("--types <types...>", "event types that it may send and read, in full or as com.example.*")
  .option("--sources <sources...>", "the same for sources")
  .action(createKey);
addLimitOptions(create);
const list = command
  .command("list")
  .description("one key a line")
  .option("--ended", "expired and revoked keys too")
  .option("--created-by <id>", "only keys that were made with this key")
  .action(listKeys);
const show = command.command("show").argument("<id>").description("all but the key itself").action(showKey);
const rotate = command
  .command("rotate")
  .argument("<id>")
  .description("makes a key of the same settings in its place and prints it, once")
  .option("--grace <when>", "the end of the old key: 1h, 7d, or an instant; without it, it ends at once")
  .action(rotateKey);
const revoke = command
  .command("revoke")
  .argument("<id>")
  .description("ends a key; every function refuses it within ten seconds")
  .action(revokeKey);
for (const each of [create, list, show, rotate, revoke])
  addStackOptions(
    each
      .option(
        "--tenant <name>",
        `the tenant, where the command's own key is one of the installation ("${INSTALLATION}")`,
      )
      .option("--json", "one JSON document"),
  );

async function createKey(options: CreateOptions): Promise<void> {
  const { tenant, role, name, expires, types, sources } = options;
  const limits = toLimits(options);
  refuseBurstAlone(limits);
  const api = await openApiClient(options);
  // The tenant is in the body: it may be a new one.
  const body = { tenant, role, name, expires, types, sources, limits };
  printMade(await api.call({ method: "POST", path: "/keys", body, refusals: NO_TENANT }, schemas.MadeKey), options);
}

const NO_TENANT = {
  tenant_required: `The command's own key is one of the installation, so the tenant of the new key has to be named: --tenant NAME, or --tenant '${INSTALLATION}' for a key of the installation.`,
};

async function listKeys({
  tenant,
  json,
  ended,
  createdBy,
  ...options
}: Options & { ended?: true; createdBy?: string }): Promise<void> {
  const api = await openApiClient(options);
  const all = await listAll(api, { tenant, createdBy });
  const listed = all.filter(
    (key) => (ended || key.state === "active") && (tenant === undefined || key.tenant === tenant),
  );
  printRows(listed, { json, head: HEAD, cells });
  const hidden = ended ? 0 : all.length - listed.length;
  process.stderr.write(`${pluralize(listed.length, "key")}${hidden > 0 ? `; --ended shows ${hidden} more` : ""}\n`);
}

const HEAD = ["ID", "TENANT", "ROLE", "STATE", "CREATED BY", "LAST USED", "EXPIRES", "NAME", "LIMITS"];

function cells({ id, tenant, role, state, createdBy, lastUsed, expiresAt, name, limits }: ListedKey): string[] {
  const times = [lastUsed ?? "never", expiresAt ?? "never"];
  return [id, tenant, role, state, createdBy, ...times, name ?? "", describeLimits(limits)];
}

async function showKey(id: string, { tenant, json, ...options }: Options): Promise<void> {
  const api = await openApiClient(options);
  const key = await api.call({ method: "GET", path: `/keys/${encodeURIComponent(id)}`, tenant }, schemas.Key);
  if (json) printJson(key);
  else printRecord(key);
}

async function rotateKey(id: string, options: Options & { grace?: string }): Promise<void> {
  const { tenant, grace } = options;
  const api = await openApiClient(options);
  const path = `/keys/${encodeURIComponent(id)}/rotate` as const;
  printMade(await api.call({ method: "POST", path, body: { grace }, tenant }, schemas.MadeKey), options);
}

async function revokeKey(id: string, { tenant, json, ...options }: Options): Promise<void> {
  const api = await openApiClient(options);
  const path = `/keys/${encodeURIComponent(id)}` as const;
  await api.call({ method: "DELETE", path, tenant }, z.undefined());
  if (json) return printJson(await api.call({ method: "GET", path, tenant }, schemas.Key));
  process.stderr.write(`The key ${id} is revoked; every function refuses it within ten seconds\n`);
}

/** The key alone is on stdout, so that it can be piped into a secret store. */
function printMade(made: MadeKey, { json }: Options): void {
  if (json) return printJson(made);
  print(made.key);
  const { id, tenant, role, expiresAt, replaces } = made;
  const whose = tenant === INSTALLATION ? "the installation" : `the tenant ${tenant}`;
  const end = expiresAt === undefined ? "does not expire" : `expires at ${expiresAt}`;
  process.stderr.write(
    `Key ${id}, ${role} of ${whose}, ${end}${replaces === undefined ? "" : `; it replaces ${replaces}`}. It is shown this once\n`,
  );
}

await runCommand(command);
