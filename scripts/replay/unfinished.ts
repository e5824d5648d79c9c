import { rm } from "node:fs/promises";
import { stackFlags } from "../stack-address.ts";
import { readStart } from "./journal.ts";
import type { JournalState } from "./journal-lines.ts";
import { lockJournal } from "./lock.ts";
import { type CommandOptions, flagsOf } from "./options.ts";

type Start = JournalState["start"] | undefined;

/** @throws Error when another replay is unfinished, with the commands that finish or forget it */
export function refuseOtherReplay(unfinished: Start, options: CommandOptions): void {
  if (options.resume && unfinished === undefined)
    throw new Error("There is no unfinished replay. Begin one with `npm run replay -- --dry-run`, which only counts.");
  if (unfinished === undefined || options.resume || flagsOf(options) === unfinished.options.flags) return;
  const { at, options: begun } = unfinished;
  throw new Error(
    `The replay that was begun at ${at} ${begun.flags === "" ? "without filters" : `with ${begun.flags}`} is unfinished. ${howToFinish(options)}`,
  );
}

export function howToFinish(options: CommandOptions): string {
  const flags = stackFlags(options);
  return `Finish it with \`npm run replay -- --resume${flags}\`, or forget it with \`npm run replay -- --discard${flags}\`.`;
}

/** Deletes the journal of an unfinished replay, even a damaged one. @throws Error while that replay runs */
export async function discard(journal: string): Promise<void> {
  const unlock = await lockJournal(journal);
  const [begun] = await Promise.allSettled([readStart(journal)]);
  try {
    await rm(journal, { force: true });
  } finally {
    await unlock();
  }
  process.stdout.write(`${describe(begun)}\n`);
}

function describe(begun: PromiseSettledResult<Start>): string {
  if (begun.status === "fulfilled" && begun.value === undefined) return "There is no unfinished replay";
  const replay = begun.status === "fulfilled" ? `begun at ${begun.value?.at}` : "in the damaged journal";
  return `The replay that was ${replay} is forgotten; dead letters that it did not delete can be replayed again`;
}
