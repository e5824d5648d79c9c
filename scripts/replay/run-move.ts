import { exitCodes } from "../command.ts";
import type { LetterQueue } from "../dead-letters/queue.ts";
import { counted } from "../dead-letters/render.ts";
import { moveAll } from "./move-all.ts";

/** Has SQS move all letters and says what became of it. */
export async function runMove(
  { client, url }: LetterQueue,
  { to, rate, signal }: { to: string; rate: number | undefined; signal: AbortSignal },
): Promise<void> {
  const tell = (line: string) => void process.stderr.write(`${line}\n`);
  const { status, moved, toMove, reason } = await moveAll(client, { from: url, to, rate, signal, tell });
  const counts = `about ${moved} of ${counted(toMove, "dead letter")} moved`;
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
