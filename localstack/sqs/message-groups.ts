import type { Body, Fauxqs, Handler, Message, Queue, Store } from "./fauxqs.ts";

/** At most 128 alphanumeric characters and punctuation: API_SendMessage, `MessageGroupId`. */
const GROUP_ID = /^[\x21-\x7e]{1,128}$/;

type Sent = { MessageId?: string; Successful?: { Id: string; MessageId: string }[] };

/**
 * Keeps `MessageGroupId` on standard queues (fair queues), where fauxqs drops it. The handler runs against a queue that
 * collects the messages. They get their group and are enqueued in one transaction, before the response.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
 */
export function stampGroupIds(handler: Handler, SqsError: Fauxqs["SqsError"]): Handler {
  return (body, store, request) => {
    const groups = groupIds(body, SqsError);
    const held: { queue: Queue; message: Message }[] = [];
    const holding: Store = Object.create(store, {
      getQueue: {
        value: (url: string) => {
          const queue = store.getQueue(url);
          if (queue === undefined) return undefined;
          return Object.create(queue, { enqueue: { value: (message: Message) => held.push({ queue, message }) } });
        },
      },
    });
    const answer = handler(body, holding, request) as Sent;
    const byMessage = new Map((answer.Successful ?? []).map(({ Id: id, MessageId: messageId }) => [messageId, id]));
    const enqueueAll = (): void => {
      for (const { queue, message } of held) {
        const group = groups.get(byMessage.get(message.messageId) ?? "");
        if (group !== undefined) message.messageGroupId = group;
        queue.enqueue(message);
      }
    };
    if (store.persistence === undefined) enqueueAll();
    else store.persistence.transaction(enqueueAll);
    return answer;
  };
}

/** Group id by batch entry; a single send has the entry "". */
function groupIds(body: Body, SqsError: Fauxqs["SqsError"]): Map<string, string> {
  const entries = (body["Entries"] ?? [{ ...body, Id: "" }]) as { Id: string; MessageGroupId?: string }[];
  const given = entries.flatMap(({ Id: id, MessageGroupId: group }) =>
    group === undefined ? [] : [[id, group] as const],
  );
  const refused = given.find(([, group]) => !GROUP_ID.test(group));
  if (refused !== undefined) {
    throw new SqsError("InvalidParameterValue", `Value ${refused[1]} for parameter MessageGroupId is invalid.`);
  }
  return new Map(given);
}
