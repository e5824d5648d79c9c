import { supervise } from "../supervise.ts";
import { type Sqs, type SqsOptions, startSqs } from "./sqs.ts";

export type SupervisedSqs = Pick<Sqs, "endpoint" | "queueUrl" | "stop">;

/**
 * Starts SQS, and starts it again with the same port and messages whenever its process ends by itself. Messages that an
 * earlier runtime received and did not delete are visible at once: nobody holds their receipts any more.
 */
export async function startSupervisedSqs(
  options: SqsOptions & { giveUp: (reason: Error) => void; log: (line: string) => void },
): Promise<SupervisedSqs> {
  let stopped = false;
  let sqs = await startSqs({ ...options, releaseInFlight: true });
  const { endpoint, queueUrl } = sqs;
  const port = Number(new URL(endpoint).port);
  const supervisor = supervise({
    name: "The queue (SQS)",
    log: options.log,
    giveUp: options.giveUp,
    restart: async () => {
      sqs = await startSqs({ ...options, port });
      watch(sqs);
    },
  });
  const watch = ({ exited }: Sqs) => void exited.then(() => (stopped ? undefined : supervisor.ended()));
  watch(sqs);
  return {
    endpoint,
    queueUrl,
    async stop(giveUp) {
      stopped = true;
      await supervisor.stop();
      await sqs.stop(giveUp);
    },
  };
}
