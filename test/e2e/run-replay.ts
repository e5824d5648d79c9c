import { eventually } from "../support/eventually.ts";
import type { Target } from "./test-stack.ts";

/**
 * Runs `npm run replay`, and watches the replay until its outcomes are known: the command itself waits ten seconds for them, and
 * a slow stack takes longer. Returns the command that said them.
 */
export async function runReplay(target: Target, ...words: string[]): ReturnType<Target["run"]> {
  const first = await target.run("replay", ...words);
  const id = /^Replay (\S+)/m.exec(first.stderr)?.[1];
  if (id === undefined || !first.stdout.includes(UNKNOWN)) return first;
  return eventually(
    () => target.run("replay", "--watch", id),
    ({ stdout }) => !stdout.includes(UNKNOWN),
  );
}

const UNKNOWN = "not known yet";
