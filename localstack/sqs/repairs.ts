import type { Fauxqs, Handler, Persistence, Queue } from "./fauxqs.ts";
import { expireMessages } from "./retention.ts";
import { longPoll } from "./long-poll.ts";
import { stampGroupIds } from "./message-groups.ts";
import { moveTasks } from "./move-tasks.ts";

/**
 * Where fauxqs 2.4.1 differs from SQS in a way that loses messages, refuses good ones, lets pass what AWS would not, or
 * lacks a call that we need.
 * Each repair has a contract test that fails without it. To be called once, before the app is built.
 */
export function repair(fauxqs: Fauxqs): void {
  repairVisibilityZero(fauxqs.PersistenceManager);
  repairCharacters(fauxqs);
  makeReceivesAtomic(fauxqs.SqsQueue.prototype);
  wrapHandlers(fauxqs);
}

/**
 * `ChangeMessageVisibility` with 0 sets the receive count to NULL, which its own table forbids: the call fails after the
 * message has left memory, and the message is gone until the next start. Only the in-flight columns are to be cleared.
 */
function repairVisibilityZero({ prototype }: { prototype: Persistence }): void {
  prototype.updateMessageReady = function (this: Persistence, messageId: string): void {
    const sql = "UPDATE sqs_messages SET receipt_handle = NULL, visibility_deadline = NULL WHERE message_id = ?";
    this.db.prepare(sql).run(messageId);
  };
}

/**
 * Its pattern for refused characters works on UTF-16 halves, so every character above U+FFFF (any emoji) is refused.
 * SQS takes #x9 #xA #xD, #x20–#xD7FF, #xE000–#xFFFD and #x10000–#x10FFFF.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
 */
function repairCharacters({ INVALID_MESSAGE_BODY_CHAR: pattern }: Fauxqs): void {
  // oxlint-disable-next-line no-control-regex -- the control characters are the point
  const refused = /[^\x09\x0A\x0D\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;
  pattern.test = (body: string): boolean => refused.test(body);
}

/**
 * A receive writes once per message, and a move to the dead-letter queue deletes before it inserts: a process killed
 * between the two loses the message. One transaction per receive makes it all or nothing (and one disk flush).
 */
function makeReceivesAtomic(prototype: Queue): void {
  const { dequeue } = prototype;
  prototype.dequeue = function (this: Queue, ...rest): unknown[] {
    expireMessages(this, Date.now());
    if (this.persistence === undefined || this.messages.length + this.inflightMessages.size === 0) {
      return dequeue.apply(this, rest);
    }
    let received: unknown[] = [];
    this.persistence.transaction(() => {
      received = dequeue.apply(this, rest);
    });
    return received;
  };
}

/** One disk flush for a batch, instead of one for each of its entries. */
function inOneTransaction(handler: Handler): Handler {
  return (body, store, request) => {
    if (store.persistence === undefined) return handler(body, store, request);
    let answer: unknown;
    store.persistence.transaction(() => {
      answer = handler(body, store, request);
    });
    return answer;
  };
}

/** Handlers are registered on a router that `buildApp` makes for itself, so they are wrapped on their way into it. */
function wrapHandlers(fauxqs: Fauxqs): void {
  const { prototype } = fauxqs.SqsRouter;
  const { register } = prototype;
  const wrappers: Record<string, (handler: Handler) => Handler> = {
    ReceiveMessage: longPoll,
    DeleteMessageBatch: inOneTransaction,
    ChangeMessageVisibilityBatch: inOneTransaction,
    SendMessage: (handler) => stampGroupIds(handler, fauxqs.SqsError),
    SendMessageBatch: (handler) => stampGroupIds(handler, fauxqs.SqsError),
  };
  const added = Object.entries(moveTasks(fauxqs));
  prototype.register = function (this: typeof prototype, action, handler): void {
    register.call(this, action, wrappers[action]?.(handler) ?? handler);
    // Registering one again changes nothing; there is no moment at which only the last one is left.
    for (const [name, own] of added) register.call(this, name, own);
  };
}
