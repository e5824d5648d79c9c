import { GetQueueAttributesCommand, SetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import type { FaultStack } from "./fault-stack.ts";

/** While `work` runs, a message that is received comes again after so many seconds, unless the consumer says otherwise. */
export async function withVisibilityTimeout(
  { queue }: FaultStack,
  seconds: number,
  work: () => Promise<void>,
): Promise<void> {
  const { client, url: QueueUrl } = queue;
  const read = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["VisibilityTimeout"] });
  const { Attributes: before } = await client.send(read);
  await client.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { VisibilityTimeout: String(seconds) } }));
  try {
    await work();
  } finally {
    await client.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: before }));
  }
}
