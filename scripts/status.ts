import { Command } from "commander";
import { exitCodes, runCommand } from "../cli/run-command.ts";
import { schemas } from "../functions/core/answer.ts";
import { openApiClient } from "./access/api-client.ts";
import { print, printJson } from "./access/output.ts";
import { addStackOptions, type StackOptions } from "./stack-address.ts";
import { isSound, toText } from "./status/render.ts";

type Options = StackOptions & { json?: true; tenant?: string };

const command = new Command("npm run status --")
  .description(
    "Shows what became of all accepted events, the depths of the queues, how far the consumer lags, and open alarms.",
  )
  .option("--tenant <name>", "one tenant, where the command's own key is one of the installation")
  .option("--json", "the answer of GET /status")
  .addHelpText(
    "after",
    `
The key is SLUICE_API_KEY, else that of the local runtime, else one of the installation that ends after a quarter of an hour. It
needs the scope \`status\`. Without --tenant, a key of the installation shows the sums of all tenants.

Exit codes: 0 done, 1 a part could not be read or the counts are not what was accepted, 2 refused or not possible.`,
  )
  .action(show);
addStackOptions(command);

async function show({ tenant, json, ...options }: Options): Promise<void> {
  const api = await openApiClient(options);
  const answer = await api.call({ method: "GET", path: "/status", tenant }, schemas.Status);
  if (json) printJson(answer);
  else print(toText(answer, await api.call({ method: "GET", path: "/status/alarms", tenant }, schemas.StatusAlarms)));
  if (!isSound(answer)) process.exitCode = exitCodes.incomplete;
}

await runCommand(command);
