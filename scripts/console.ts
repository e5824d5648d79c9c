import { Command } from "commander";
import { runCommand } from "../cli/run-command.ts";
import { schemas } from "../functions/core/answer.ts";
import { createApiClient } from "./access/api-client.ts";
import { findAdminKey } from "./access/find-admin-key.ts";
import { printJson } from "./access/output.ts";
import { addStackOptions, findStackAddress, type StackOptions } from "./stack-address.ts";

type Options = StackOptions & { json?: true };

const command = new Command("npm run console --")
  .description("Prints a link that signs a browser in to the operator's page, once, within five minutes.")
  .option("--json", "one JSON document with the link, and when it ends")
  .addHelpText(
    "after",
    `
The browser may do what the key may, and is signed out after eight hours or when the key ends. The key is the one in
SLUICE_API_KEY; else that of the runtime on this machine; else, for --outputs, one of the installation that lives for eight
hours, made by invoking the function \`access\` with your AWS credentials.

Exit codes: 0 done, 2 refused or not possible.`,
  )
  .action(printLink);
addStackOptions(command);

async function printLink({ json, ...options }: Options): Promise<void> {
  const address = findStackAddress(options);
  const key = await findAdminKey(address, process.env, { name: "npm run console", life: "8h" });
  const request = { method: "POST", path: "/console/codes" } as const;
  const { code, expiresAt } = await createApiClient(address.url, key).call(request, schemas.ConsoleCode);
  // Behind # it is in no request, so in no log of a server.
  const link = `${address.url}/console#/sign-in?code=${code}`;
  if (json) return printJson({ link, expiresAt });
  process.stdout.write(`${link}\n`);
  process.stderr.write(`It signs in once, until ${expiresAt}.\n`);
}

await runCommand(command);
