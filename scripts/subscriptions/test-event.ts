import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { userPath } from "../../cli/npm.ts";
import { printable } from "../../cli/printable.ts";
import { readError } from "../../cli/read-lines.ts";
import { exitCodes } from "../../cli/run-command.ts";
import type { Filter } from "../../functions/core/filter/filter.ts";
import { isJsonObject, parseLossless } from "../../functions/core/lossless-json.ts";
import { print, printJson } from "../access/output.ts";

/** The event that is tested: in a file, or one that is stored. */
export type EventOptions = { event?: string; stored?: string; storedSource?: string };

/** The body of a test. @throws Error that says which option is missing, or wrong with the file */
export async function toTest(subscription: string | undefined, filter: Filter | undefined, options: EventOptions) {
  if (subscription !== undefined && filter !== undefined)
    throw new Error("A subscription has its own filter. Leave out its id, or --type, --source and --filter.");
  if (subscription === undefined && filter === undefined)
    throw new Error("Name a subscription by its id, or a filter by --type, --source or --filter.");
  return { subscription, filter, event: await readEvent(options) };
}

/** The event, whose numbers keep their digits. */
async function readEvent({ event, stored, storedSource }: EventOptions): Promise<unknown> {
  if (stored !== undefined) return { id: stored, source: storedSource };
  if (event === undefined) throw new Error("Name the event: --event FILE, --event - for stdin, or --stored ID.");
  const content =
    event === "-"
      ? await text(process.stdin)
      : await readFile(userPath(event), "utf8").catch((error) => {
          throw readError(userPath(event), error);
        });
  try {
    const { lossless } = parseLossless(content);
    if (isJsonObject(lossless)) return lossless;
  } catch {
    // Said below.
  }
  throw new Error(
    `${event === "-" ? "The input" : event} is no event: a JSON object with specversion, type, source and id.`,
  );
}

/** Prints the result, and sets the exit code. */
export function printVerdict(
  verdict: { matches: boolean; why: readonly { pointer: string; message: string }[] },
  { json }: { json?: true },
): void {
  if (!verdict.matches) process.exitCode = exitCodes.incomplete;
  if (json) return printJson(verdict);
  print(verdict.matches ? "It matches" : "It does not match");
  for (const { pointer, message } of verdict.why)
    print(printable(`  ${pointer === "" ? "filter" : pointer}: ${message}`));
}
