import { type Command, CommanderError } from "commander";

/** Exit codes of every command: all was done; some was not done; the call was wrong or the command could not start. */
export const exitCodes = { done: 0, incomplete: 1, failed: 2 } as const;

/** Runs a command line and sets the exit code. An error becomes one line on stderr, without a stack trace. */
export async function runCommand(command: Command): Promise<void> {
  for (const each of [command, ...command.commands]) each.exitOverride();
  // The reader of the output, for example `head`, may close it early.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
  try {
    await command.parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.failed;
      return;
    }
    process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = exitCodes.failed;
  }
}

/** Parses a whole number above zero. @throws Error that names the option */
export function positiveInteger(option: string) {
  return (text: string): number => {
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < 1)
      throw new Error(`${option} takes a whole number above 0, not ${text}.`);
    return value;
  };
}
