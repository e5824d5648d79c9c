import { pluralize } from "../../cli/pluralize.ts";
import type { MessageCounts } from "./queue.ts";
import { VISIBILITY_TIMEOUT_SECONDS } from "./scan.ts";

/** Says before a scan which messages it will not see. */
export function unseenNote({ visible, hidden }: MessageCounts): string {
  const other = `About ${pluralize(hidden, "more message")} hidden by another reader, visible again within ${MINUTES} minutes\n`;
  const tooMany = `About ${visible} messages, of which SQS hands out ${MAX_IN_FLIGHT} at once; the others are not read\n`;
  return (hidden > 0 ? other : "") + (visible > MAX_IN_FLIGHT ? tooMany : "");
}

/** Says after a scan how many messages another reader hid to the end, and what to run once they are visible. */
export function missedNote(missed: number, command = "this"): string {
  return `About ${pluralize(missed, "more message")} stayed hidden by another reader, or by one that was killed; run ${command} again in ${MINUTES} minutes\n`;
}

/** Says how many answers were lost: SQS hides their messages from every reader. */
export function lostNote(lost: number): string {
  return `${pluralize(lost, "call")} had to be repeated; messages of a lost answer are visible again within ${MINUTES} minutes, so run this again then\n`;
}

export const STOPPED_NOTE = "Stopped before all messages were read; all of them are visible again\n";

const MINUTES = VISIBILITY_TIMEOUT_SECONDS / 60;

/** @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html */
const MAX_IN_FLIGHT = 120_000;
