import { exitCodes } from "../../cli/run-command.ts";
import type { LineOutcome } from "./post-events.ts";
import type { ReadBack } from "./read-back.ts";

/** Lines with a fault that are listed; the others are counted. */
const MAX_LISTED = 20;

/** Counts what became of the lines of a file, however many they are, and keeps the first faults. */
export function createReport() {
  const started = performance.now();
  const counts = { accepted: 0, duplicate: 0, invalid: 0, unsent: 0 };
  let readEqual = 0;
  let unchecked = 0;
  const refused = createFaults();
  const changed = createFaults();
  let lastLine = 0;
  let firstUnsent = Number.POSITIVE_INFINITY;
  return {
    add(outcomes: LineOutcome[]): void {
      for (const { line, status, why, ...outcome } of outcomes) {
        counts[status] += 1;
        if (outcome.unchecked) unchecked += 1;
        lastLine = Math.max(lastLine, line);
        if (status === "unsent") firstUnsent = Math.min(firstUnsent, line);
        if (status === "invalid" || status === "unsent") refused.add(line, `${status}: ${why}`);
      }
    },
    /** Notes lines that were read and are not sent any more. */
    skip(lines: readonly { line: number }[]): void {
      for (const { line } of lines) firstUnsent = Math.min(firstUnsent, line);
    },
    addReadBack({ line, isEqual, why }: ReadBack): void {
      if (isEqual) readEqual += 1;
      else changed.add(line, why);
    },
    /** Prints the faults to stderr and the counts to stdout, and sets the exit code. */
    print({ isStopped, isReadBack }: { isStopped: boolean; isReadBack: boolean }): void {
      refused.print();
      changed.print();
      if (unchecked > 0) process.stderr.write(`${unchecked} events unchecked: the catalog does not have their type\n`);
      const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
      const tally = Object.entries(counts).map(([status, count]) => `${count} ${status}`);
      const seconds = ((performance.now() - started) / 1_000).toFixed(1);
      process.stdout.write(`${total} events: ${tally.join(", ")} in ${seconds} s\n`);
      if (isReadBack) process.stdout.write(`${readEqual} of ${counts.accepted} accepted events read back equal\n`);
      const next = Math.min(firstUnsent, lastLine + 1);
      if (isStopped)
        process.stdout.write(`Stopped: send it again from line ${next} on; an event that has an id is stored once\n`);
      const allEqual = !isReadBack || readEqual === counts.accepted;
      const isDone = counts.invalid + counts.unsent === 0 && allEqual && !isStopped;
      process.exitCode = isDone ? exitCodes.done : exitCodes.incomplete;
    },
  };
}

/** Keeps the faults of the first lines; a file may have millions. */
function createFaults() {
  let first: { line: number; text: string }[] = [];
  let count = 0;
  return {
    add(line: number, text: string): void {
      count += 1;
      first.push({ line, text });
      if (first.length > 2 * MAX_LISTED) first = sorted();
    },
    print(): void {
      for (const { line, text } of sorted()) process.stderr.write(`line ${line} ${text}\n`);
      if (count > MAX_LISTED) process.stderr.write(`and ${count - MAX_LISTED} more\n`);
    },
  };

  function sorted() {
    return first.toSorted((a, b) => a.line - b.line).slice(0, MAX_LISTED);
  }
}
