import { pluralize } from "../../cli/pluralize.ts";
import { exitCodes } from "../../cli/run-command.ts";
import type { Queue } from "../dead-letters/queue.ts";
import { moveAll } from "./move-all.ts";

/** Has SQS move all messages of the dead-letter queue, and reports the result. */
export async function runAll(
  { client, url }: Queue,
  { to, rate, signal }: { to: string; rate: number | undefined; signal: AbortSignal },
): Promise<void> {
  const report = (line: string) => void process.stderr.write(`${line}\n`);
  const { status, moved, toMove, reason } = await moveAll(client, { from: url, to, rate, signal, report });
  const counts = `about ${moved} of ${pluralize(toMove, "message")} moved`;
  if (status !== "COMPLETED") process.exitCode = exitCodes.incomplete;
  switch (status) {
    case "COMPLETED":
      process.stdout.write(`Done: ${counts}\n`);
      break;
    case "CANCELLED":
      process.stdout.write(`Cancelled: ${counts}, the others stay\n`);
      break;
    case "FAILED":
      process.stdout.write(`Failed with ${reason}: ${counts}, the others stay\n`);
      break;
  }
}
