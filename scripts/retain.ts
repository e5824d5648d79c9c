import { Command } from "commander";
import { positiveInteger } from "../cli/option-values.ts";
import { runCommand } from "../cli/run-command.ts";
import { schemas } from "../functions/core/answer.ts";
import { RETENTION_PLAN_DAYS } from "../functions/core/retention-limits.ts";
import { openApiClient } from "./access/api-client.ts";
import { print, printJson } from "./access/output.ts";
import { toText } from "./retain/render.ts";
import { addStackOptions, type StackOptions } from "./stack-address.ts";

type Options = StackOptions & { days?: number; json?: true };

const command = new Command("npm run retain --").description("Shows for how long events are kept.").addHelpText(
  "after",
  `
The key is SLUICE_API_KEY, else that of the local runtime, else one of the installation that ends after a quarter of an hour. It
needs the scope \`tenants\`.

Exit codes: 0 done, 2 refused or not possible.`,
);

const plan = command
  .command("plan")
  .description(
    `what is dropped within so many days, and what is kept; ${RETENTION_PLAN_DAYS} days where none are given`,
  )
  .option("--days <number>", "days ahead", positiveInteger("--days"))
  .option("--json", "the answer of GET /retention")
  .action(showPlan);
addStackOptions(plan);

async function showPlan({ days, json, ...options }: Options): Promise<void> {
  const api = await openApiClient(options);
  const query = days === undefined ? {} : { days: String(days) };
  const answer = await api.call({ method: "GET", path: "/retention", query }, schemas.RetentionPlan);
  if (json) printJson(answer);
  else print(toText(answer));
}

await runCommand(command);
