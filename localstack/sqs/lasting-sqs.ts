import { supervise } from "../supervise.ts";
import { type Sqs, type SqsOptions, startSqs } from "./sqs.ts";

export type LastingSqs = Pick<Sqs, "endpoint" | "queueUrl" | "stop">;

/**
 * SQS that is started again, on the same port and messages, when its process ends by itself. Messages that the runtime
 * before this one had received and not deleted are visible at once: nobody holds their receipts any more.
 */
export async function startLastingSqs(
  options: SqsOptions & { giveUp: (reason: Error) => void; log: (line: string) => void },
): Promise<LastingSqs> {
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
