import { rm } from "node:fs/promises";
import { targetFlags } from "../stack-address.ts";
import { readStart } from "./journal.ts";
import type { JournalState } from "./journal-lines.ts";
import { lockJournal } from "./lock.ts";
import { type CommandOptions, flagsOf } from "./options.ts";

type Start = JournalState["start"] | undefined;

/** @throws Error when another replay is unfinished, with the commands that finish or forget it */
export function refuseOther(unfinished: Start, options: CommandOptions): void {
  if (options.resume && unfinished === undefined)
    throw new Error("There is no unfinished replay. Begin one with `npm run replay -- --dry-run`, which only counts.");
  if (unfinished === undefined || options.resume || flagsOf(options) === unfinished.options.flags) return;
  const { at, options: begun } = unfinished;
  throw new Error(
    `The replay that was begun at ${at} ${begun.flags === "" ? "without filters" : `with ${begun.flags}`} is unfinished. ${howToGoOn(options)}`,
  );
}

export function howToGoOn(options: CommandOptions): string {
  const flags = targetFlags(options);
  return `Finish it with \`npm run replay -- --resume${flags}\`, or forget it with \`npm run replay -- --discard${flags}\`.`;
}

/** Forgets an unfinished replay, also one whose journal is damaged. @throws Error when it runs */
export async function discard(journal: string): Promise<void> {
  const unlock = await lockJournal(journal);
  const [begun] = await Promise.allSettled([readStart(journal)]);
  try {
    await rm(journal, { force: true });
  } finally {
    await unlock();
  }
  process.stdout.write(`${forgotten(begun)}\n`);
}

function forgotten(begun: PromiseSettledResult<Start>): string {
  if (begun.status === "fulfilled" && begun.value === undefined) return "There is no unfinished replay";
  const replay = begun.status === "fulfilled" ? `begun at ${begun.value?.at}` : "in the damaged journal";
  return `The replay that was ${replay} is forgotten; letters that it did not delete can be replayed again`;
}
