import { Command, Option } from "commander";
import { pluralize } from "../cli/pluralize.ts";
import { runCommand } from "../cli/run-command.ts";
import type { TenantRecord } from "../functions/core/access.ts";
import { schemas } from "../functions/core/answer.ts";
import { type ApiClient, ApiError, openApiClient } from "./access/api-client.ts";
import {
  addLimitOptions,
  describeLimits,
  type LimitOptions,
  refuseBurstAlone,
  toLimits,
} from "./access/limit-options.ts";
import { printJson, printRecord, printRows } from "./access/output.ts";
import { addStackOptions, stackFlags, type StackOptions } from "./stack-address.ts";

type Options = StackOptions & { json?: true };
type SetOptions = Options & LimitOptions & { suspend?: true; resume?: true; unlimited?: true };

const command = new Command("npm run tenants --")
  .description("Lists tenants, suspends and resumes them, and sets their limits. It needs a key of the installation.")
  .addHelpText(
    "after",
    `
A tenant is made by its first key (\`npm run keys -- create --tenant NAME --role admin\`), or by \`set\`.

Exit codes: 0 done, 2 refused or not possible.`,
  );

const list = command.command("list").description("one tenant a line").action(listTenants);
const show = command.command("show").argument("<tenant>").description("state and limits").action(showTenant);
const set = command
  .command("set")
  .argument("<tenant>")
  .description("makes a tenant, or changes what the options name")
  .addOption(
    new Option("--suspend", "refuses the tenant's keys, and those of the installation for it").conflicts("resume"),
  )
  .option("--resume", "ends that")
  .option("--unlimited", "takes the limits away that no other option sets")
  .action(setTenant);
addLimitOptions(set);
for (const each of [list, show, set]) addStackOptions(each.option("--json", "one JSON document"));

async function listTenants({ json, ...options }: Options): Promise<void> {
  const api = await openApiClient(options);
  const all: TenantRecord[] = [];
  let after: string | undefined;
  do {
    const { tenants, next } = await api.call({ method: "GET", path: "/tenants", query: { after } }, schemas.Tenants);
    all.push(...tenants);
    after = next;
  } while (after !== undefined);
  printRows(all, {
    json,
    head: ["TENANT", "STATE", "CREATED", "LIMITS"],
    cells: ({ tenant, state, createdAt, limits }) => [tenant, state, createdAt, describeLimits(limits)],
  });
  process.stderr.write(`${pluralize(all.length, "tenant")}\n`);
}

async function showTenant(name: string, { json, ...options }: Options): Promise<void> {
  const refusals = {
    no_such_tenant: `There is no tenant ${name}. Make it with \`npm run tenants -- set ${name}${stackFlags(options)}\`.`,
  };
  printTenant(await readTenant(await openApiClient(options), name, refusals), json);
}

async function setTenant(name: string, options: SetOptions): Promise<void> {
  const { json, suspend, resume, unlimited } = options;
  const state = suspend ? "suspended" : resume && "active";
  const given = toLimits(options);
  if (state === undefined && given === undefined && unlimited === undefined)
    throw new Error("Nothing to set. Name --suspend, --resume, a limit, or --unlimited.");
  const api = await openApiClient(options);
  const before = unlimited || given === undefined ? {} : await limitsOf(api, name);
  const limits = unlimited || given !== undefined ? { ...before, ...given } : undefined;
  refuseBurstAlone(limits);
  printTenant(await api.call({ method: "PUT", path: pathOf(name), body: { state, limits } }, schemas.Tenant), json);
}

const readTenant = (api: ApiClient, name: string, refusals = {}) =>
  api.call({ method: "GET", path: pathOf(name), refusals }, schemas.Tenant);

/** The limits of a tenant; none of one that is about to be made. */
async function limitsOf(api: ApiClient, name: string): Promise<TenantRecord["limits"]> {
  try {
    return (await readTenant(api, name)).limits;
  } catch (error) {
    if (error instanceof ApiError && error.code === "no_such_tenant") return undefined;
    throw error;
  }
}

const pathOf = (name: string) => `/tenants/${encodeURIComponent(name)}` as const;

function printTenant(record: TenantRecord, json: true | undefined): void {
  if (json) printJson(record);
  else printRecord({ ...record, limits: describeLimits(record.limits) });
}

await runCommand(command);
