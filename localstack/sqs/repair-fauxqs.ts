import type { Fauxqs, Handler, Persistence, Queue } from "./fauxqs.ts";
import { commitTogether, onceCommitted } from "./commit-together.ts";
import { expireMessages } from "./expire-messages.ts";
import { longPoll } from "./long-poll.ts";
import { stampGroupIds } from "./message-groups.ts";
import { moveTasks } from "./move-tasks.ts";

/**
 * Repairs fauxqs 2.4.1 where it loses messages, refuses valid ones, accepts what SQS refuses, or lacks a call that we
 * need. Each repair has a contract test that fails without it. Call it once, before the app is built.
 */
export function repairFauxqs(fauxqs: Fauxqs): void {
  repairVisibilityZero(fauxqs.PersistenceManager);
  commitTogether(fauxqs.PersistenceManager);
  repairCharacters(fauxqs);
  makeReceivesAtomic(fauxqs.SqsQueue.prototype);
  wrapHandlers(fauxqs);
}

/**
 * `ChangeMessageVisibility` with 0 sets the receive count to NULL, which its own table forbids: the call fails after the
 * message has left memory, so the message is missing until the next start. Only the in-flight columns must be cleared.
 */
function repairVisibilityZero({ prototype }: { prototype: Persistence }): void {
  prototype.updateMessageReady = function (this: Persistence, messageId: string): void {
    const sql = "UPDATE sqs_messages SET receipt_handle = NULL, visibility_deadline = NULL WHERE message_id = ?";
    this.db.prepare(sql).run(messageId);
  };
}

/**
 * fauxqs tests for refused characters by UTF-16 code unit, so every character above U+FFFF (any emoji) is refused.
 * SQS accepts #x9 #xA #xD, #x20–#xD7FF, #xE000–#xFFFD and #x10000–#x10FFFF.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
 */
function repairCharacters({ INVALID_MESSAGE_BODY_CHAR: pattern }: Fauxqs): void {
  // oxlint-disable-next-line no-control-regex -- the control characters are the point
  const refused = /[^\x09\x0A\x0D\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;
  pattern.test = (body: string): boolean => refused.test(body);
}

/**
 * A receive writes once per message, and a move to the dead-letter queue deletes before it inserts: a process killed
 * between the two loses the message. One transaction per receive makes it all or nothing.
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

/** All entries of a batch in one commit, instead of one for each of them. */
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

/** `buildApp` registers the handlers on a router that it creates itself, so they are wrapped in `register`. */
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
    register.call(this, action, onceCommitted(wrappers[action]?.(handler) ?? handler));
    // There is no hook after the last registration. Registering a handler again changes nothing.
    for (const [name, own] of added) register.call(this, name, onceCommitted(own));
  };
}
