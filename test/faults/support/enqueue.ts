import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { ENVELOPE_VERSION } from "../../../functions/core/envelope.ts";
import { fingerprint } from "../checker/fingerprint.ts";
import type { SentEvent } from "./client.ts";
import type { Scene } from "./scene.ts";

const TENANT = "default";

/** Puts events on the queue in one message, as the door had if it had received them then; they count as accepted. */
export async function enqueue(
  { world, history }: Scene,
  events: readonly SentEvent[],
  receivedAt: string,
): Promise<void> {
  const attempts = events.map(({ source, id, data }) => ({
    tenant: TENANT,
    source,
    id,
    fingerprint: fingerprint(data),
  }));
  const accepted = history.attempt(attempts, Date.now());
  const envelope = {
    version: ENVELOPE_VERSION,
    tenant: TENANT,
    receivedAt,
    events: events.map((event) => ({ ...event, time: receivedAt })),
  };
  const { client, url } = world.queue;
  await client.send(
    new SendMessageCommand({ QueueUrl: url, MessageBody: JSON.stringify(envelope), MessageGroupId: TENANT }),
  );
  accepted("acked", Date.now());
}
