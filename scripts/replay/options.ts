import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { readError } from "../../cli/read-lines.ts";
import { shellWord } from "../../cli/shell-word.ts";
import { MAX_REPLAYS } from "../../functions/core/queue-limits.ts";
import { type FilterOptions, toFilter } from "../../functions/replay/filter.ts";
import type { StackOptions } from "../stack-address.ts";
import type { ReplayOptions } from "./journal-lines.ts";
import { MOVE_MAX_PER_SECOND } from "./move-all.ts";

export type CommandOptions = StackOptions &
  FilterOptions & {
    dryRun?: true;
    limit?: number;
    rate?: number;
    maxReplays?: number;
    edits?: string;
    toQueue?: string;
    all?: true;
    resume?: true;
    discard?: true;
  };

/** The options that decide which events are replayed, as written on a command line; empty when there are none. */
export function flagsOf(options: CommandOptions): string {
  const { reason, type, source, tenant, id, olderThan, newerThan, limit, maxReplays, edits, toQueue, all } = options;
  const seconds = (milliseconds?: number) => (milliseconds === undefined ? undefined : `${milliseconds / 1_000}s`);
  const flags: [string, (string | number)[] | string | number | undefined][] = [
    ["--reason", reason],
    ["--type", type],
    ["--source", source],
    ["--tenant", tenant],
    ["--id", id],
    ["--older-than", seconds(olderThan)],
    ["--newer-than", seconds(newerThan)],
    ["--limit", limit],
    ["--max-replays", maxReplays],
    ["--edits", edits],
    ["--to-queue", toQueue],
  ];
  const words = flags.flatMap(([flag, value]) =>
    [value ?? []].flat().map((each) => `${flag} ${shellWord(String(each))}`),
  );
  return [...words, ...(all ? ["--all"] : [])].join(" ");
}

/** @throws Error that names the options that cannot be combined */
export function refuseContradictions(options: CommandOptions): void {
  const { all, resume, discard, dryRun, rate } = options;
  const choices = flagsOf({ ...options, all: undefined });
  const modes = { "--dry-run": dryRun, "--all": all, "--resume": resume, "--discard": discard };
  const beside = (mode: keyof typeof modes) => {
    const others = Object.entries(modes).flatMap(([flag, given]) => (given && flag !== mode ? [flag] : []));
    return [...others, ...(choices === "" ? [] : [choices])].join(" ");
  };
  if (all && beside("--all") !== "")
    throw new Error(`--all lets SQS move every message as it is. Leave out ${beside("--all")}, or leave out --all.`);
  if (resume && beside("--resume") !== "")
    throw new Error(`--resume continues the replay with its own options. Leave out ${beside("--resume")}.`);
  if (discard && beside("--discard") !== "")
    throw new Error(`--discard only forgets an unfinished replay. Leave out ${beside("--discard")}.`);
  if (all && rate !== undefined && rate > MOVE_MAX_PER_SECOND)
    throw new Error(`--rate takes at most ${MOVE_MAX_PER_SECOND} with --all: SQS moves no more messages a second.`);
}

/** The options for the journal: moments instead of durations, and the hash of the file of corrected events. */
export function toReplayOptions(options: CommandOptions, now: number): ReplayOptions {
  const { limit, maxReplays = MAX_REPLAYS, edits, toQueue } = options;
  return {
    ...toFilter(options, now),
    limit,
    maxReplays,
    edit: edits === undefined ? undefined : { file: edits, sha256: sha256(edits) },
    to: toQueue,
    flags: flagsOf(options),
  };
}

/** @throws Error when the file of corrected events has changed since the replay began */
export function refuseChangedEdits({ edit }: ReplayOptions): void {
  if (edit !== undefined && sha256(edit.file) !== edit.sha256)
    throw new Error(
      `${edit.file} has changed since the replay began. Restore it, or forget that replay with --discard and start again.`,
    );
}

function sha256(file: string): string {
  try {
    return createHash("sha256").update(readFileSync(file)).digest("hex");
  } catch (error) {
    throw readError(file, error);
  }
}
