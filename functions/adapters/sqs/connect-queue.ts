import { GetQueueAttributesCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { openAhead } from "../lambda/open-connection.ts";

/** Opens a connection for the first call of a queue. Never throws. */
export const connectQueue = (client: SQSClient, queueUrl: string): Promise<void> | undefined =>
  openAhead(client, new GetQueueAttributesCommand({ QueueUrl: queueUrl }));
