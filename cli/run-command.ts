import { type Command, CommanderError } from "commander";
import { checkWords } from "./check-words.ts";
import { swallowedByNpm } from "./npm.ts";
import { reachLoopbackDirectly } from "./reach-loopback-directly.ts";
import { reasonOf } from "./reason-of.ts";

/** Exit codes of every command: all was done; some was not done; the call was wrong or the command could not start. */
export const exitCodes = { done: 0, incomplete: 1, failed: 2 } as const;

/** Runs a command line and sets the exit code. An error becomes one line on stderr, without a stack trace. */
export async function runCommand(command: Command): Promise<void> {
  for (const each of [command, ...command.commands]) each.exitOverride();
  // The reader of the output, for example `head`, may close it early.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
  reachLoopbackDirectly(process.env);
  try {
    const swallowed = swallowedByNpm(command, process.env);
    if (swallowed !== undefined) throw new Error(swallowed);
    await command.parseAsync(checkWords(command, process.argv.slice(2)), { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.code === "commander.unknownOption")
        process.stderr.write("A word that begins with -- and is no option stands last, behind --\n");
      process.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.failed;
      return;
    }
    process.stderr.write(`error: ${textOf(error)}\n`);
    process.exitCode = exitCodes.failed;
  }
}

/** The message of an error, and that of its cause where it does not repeat it. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const reason = reasonOf(error);
  return error.message.includes(reason) ? error.message : `${error.message} ${reason}`;
}
