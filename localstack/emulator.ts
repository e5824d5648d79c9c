import { readFile } from "node:fs/promises";
import { Command, Option } from "commander";
import { userPath } from "../cli/npm.ts";
import { port } from "../cli/option-values.ts";
import { runCommand } from "../cli/run-command.ts";
import { chooseEmulator, type Way, WAYS } from "./emulator/choose-emulator.ts";
import { deploy, type DeployOptions, readUrl } from "./emulator/deploy.ts";
import { showLogs } from "./emulator/show-logs.ts";
import { versionOf } from "./emulator/health.ts";
import { MINISTACK_VERSION } from "./emulator/ministack.ts";
import { readSession } from "./emulator/session.ts";
import { down, logFile, up, type UpOptions } from "./emulator/up.ts";

const program = new Command("npm run localstack --").description(
  "Deploys the CDK app into an emulator of AWS: LocalStack, MiniStack, or the one at AWS_ENDPOINT_URL.",
);
const command = (name: string, description: string) =>
  program
    .command(name)
    .description(description)
    .option(
      "--data-dir <folder>",
      "folder of the database and of what was deployed",
      (text) => userPath(text),
      ".localstack",
    );

type Options = { dataDir: string };
const print = (line: string): void => void process.stdout.write(`${line}\n`);

command("up", "starts the emulator, and the database that it lacks")
  .addOption(new Option("--emulator <name>", "which one (default: the first that is available)").choices(WAYS))
  .option("--port <port>", "port of the emulator; 0 is any free one", port("--port"), 4566)
  .option(
    "--functions-host <host>",
    "how functions in containers reach this machine (default: depends on the emulator)",
  )
  .action(async ({ emulator, ...options }: UpOptions & { emulator?: Way }) => {
    const session = await up(chooseEmulator(process.env, emulator), options);
    const version = await versionOf(session.endpoint);
    if (session.emulator === "ministack" && version !== MINISTACK_VERSION) {
      print(`This is MiniStack ${version}; its known gaps are those of ${MINISTACK_VERSION}.`);
    }
    print(`${session.emulator} is up at ${session.endpoint}. Deploy with \`npm run localstack -- deploy\`.`);
  });

command("deploy", "deploys the app with the CDK's command line, or updates it")
  .option("--allow-http-sinks", "let subscriptions deliver to http://127.0.0.1:PORT on this machine, until `down`")
  .argument("[words...]", "further arguments of `cdk deploy`, for example -c stage=prod")
  .allowUnknownOption()
  .action(async (words: string[], options: DeployOptions) => {
    const { url } = await deploy(await readSession(options.dataDir), options, words);
    print(`\nSluice is deployed at ${url}\nThe commands reach it with --data-dir ${options.dataDir}`);
  });

command("url", "prints the URL of the API")
  .option("--data-api", "prints the URL of the database's Data API instead")
  .action(async ({ dataDir, dataApi }: Options & { dataApi?: true }) => {
    const { dataApiUrl } = await readSession(dataDir);
    print(dataApi ? dataApiUrl : await readUrl(dataDir));
  });

command("logs", "prints the log lines of the functions")
  .option("--follow", "goes on until Ctrl-C")
  .option("--emulator", "prints those of the emulator and the database instead")
  .action(async ({ dataDir, follow, emulator }: Options & { follow?: true; emulator?: true }) => {
    const { endpoint } = await readSession(dataDir);
    if (emulator) return print((await readFile(logFile(dataDir), "utf8")).trimEnd());
    await showLogs(endpoint, print, follow && untilInterrupted());
  });

command("down", "ends what `up` started, and deletes its data").action(async ({ dataDir }: Options) => {
  await down(dataDir);
  print("What `up` started has ended.");
});

await runCommand(program);

function untilInterrupted(): AbortSignal {
  const interrupted = new AbortController();
  process.once("SIGINT", () => interrupted.abort());
  return interrupted.signal;
}
