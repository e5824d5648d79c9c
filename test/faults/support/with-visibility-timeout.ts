import { GetQueueAttributesCommand, SetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import type { FaultStack } from "./fault-stack.ts";

/** While `work` runs, a message that is received comes again after so many seconds, unless the consumer says otherwise. */
export async function withVisibilityTimeout(
  stack: FaultStack,
  seconds: number,
  work: () => Promise<void>,
): Promise<void> {
  const { client, url: QueueUrl } = stack.queue;
  const read = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["VisibilityTimeout"] });
  const { Attributes: before } = await client.send(read);
  await set(stack, { VisibilityTimeout: String(seconds) });
  try {
    await work();
  } finally {
    await set(stack, before);
  }
}

/** The queue of now: `work` may have started the stack again. */
async function set(
  { queue: { client, url } }: FaultStack,
  Attributes: Record<string, string> | undefined,
): Promise<void> {
  await client.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes }));
}
