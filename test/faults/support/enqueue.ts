import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { ENVELOPE_VERSION } from "../../../functions/core/envelope.ts";
import type { SentEvent } from "./client.ts";
import type { FaultScenario } from "./fault-scenario.ts";

const TENANT = "default";

/**
 * Puts events on the queue in one message, as ingest would have at that time; they count as accepted.
 * @param alter changes the envelope before it is sent
 */
export async function enqueue(
  scenario: FaultScenario,
  events: readonly SentEvent[],
  receivedAt: string,
  alter: (envelope: object) => object = (envelope) => envelope,
): Promise<void> {
  const envelope = {
    version: ENVELOPE_VERSION,
    tenant: TENANT,
    receivedAt,
    events: events.map((event) => ({ ...event, time: receivedAt })),
  };
  const { client, url } = scenario.stack.queue;
  await client.send(
    new SendMessageCommand({ QueueUrl: url, MessageBody: JSON.stringify(alter(envelope)), MessageGroupId: TENANT }),
  );
  scenario.accept(events);
}
