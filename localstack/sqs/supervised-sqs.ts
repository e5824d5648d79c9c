import { superviseServer } from "../child-server.ts";
import { type Sqs, type SqsOptions, startSqs } from "./sqs.ts";

export type SupervisedSqs = Pick<Sqs, "endpoint" | "queueUrl" | "stop">;

/**
 * Starts SQS, and starts it again with the same port and messages whenever its process ends by itself. Messages that an
 * earlier runtime received and did not delete are visible at once: nobody holds their receipts any more.
 */
export async function startSupervisedSqs(
  options: Omit<SqsOptions, "port"> & { giveUp: (reason: Error) => void; log: (line: string) => void },
): Promise<SupervisedSqs> {
  const { giveUp, log, ...sqs } = options;
  const { first, stop } = await superviseServer(
    (port) => startSqs({ ...sqs, log, ...(port === undefined ? { releaseInFlight: true } : { port }) }),
    { name: "The queue (SQS)", giveUp, log },
  );
  return { endpoint: first.endpoint, queueUrl: first.queueUrl, stop };
}
