import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** An entry of a batch call, as far as the faults look at it. */
type BatchEntry = {
  Id: string;
  MessageBody?: string;
  MessageAttributes?: Record<string, { DataType: string; StringValue?: string }>;
};

/**
 * When a fault applies: to how many calls, to which API action and queue (by name), and to which of these calls (asked
 * once for each). Left out means no limit.
 */
type Scope = { calls?: number; action?: string; queue?: string; where?: (call: SqsCall) => boolean };

type SqsFault = Scope & (Disturbance | PartialFailure | Pause);

/**
 * `unavailable` answers 503 and `throttled` 400, `dropBefore` closes the client's connection, all instead of passing the
 * call on; `dropAfter` passes it on and closes the connection without an answer; `hang` does nothing until the faults are
 * changed, then closes the connection. `duplicate` hands out each received message twice in one answer, `again` once
 * more in the next answer that has messages.
 */
type Disturbance = {
  kind: "unavailable" | "throttled" | "dropBefore" | "dropAfter" | "hang" | "duplicate" | "again";
};

/** Waits before passing the call on. */
type Pause = { kind: "delay"; milliseconds: number };

/**
 * Answers these entries of a batch as `Failed` and passes on only the others. `true` is a fault of SQS, which may be over
 * the next time, `"sender"` one of the message.
 */
type PartialFailure = { kind: "failEntries"; entries: (entry: BatchEntry) => boolean | "sender" };

/** A call that came in, before any fault. */
type SqsCall = {
  action: string;
  queue: string;
  entries: BatchEntry[];
  /** The client got no answer: it hung up, or a fault closed its connection. The server may have done the call all the same. */
  isUnanswered: boolean;
};

export type SqsFaultProxy = {
  /** For `AWS_ENDPOINT_URL_SQS`. */
  readonly url: string;
  /** The URL by which a client reaches a queue of the real server through here. */
  queueUrl(realUrl: string): string;
  /** All calls since the faults were last changed, repetitions by the client included. */
  readonly calls: readonly SqsCall[];
  /** Calls that a fault was applied to since the faults were last changed; receives without messages do not count. */
  readonly applied: number;
  /** When the last fault was applied, ms since the epoch; -Infinity where none was. */
  readonly lastFaultAt: number;
  /** Replaces the faults in force; none without arguments. */
  setFaults(...faults: SqsFault[]): void;
  /** Called with each call before it is passed on; the proxy waits for what it returns. */
  onCall: ((call: SqsCall) => void | Promise<void>) | undefined;
  stop(): Promise<void>;
};

/** A reverse proxy in front of a real SQS endpoint that does to calls what a network and a busy service do. */
export async function startSqsFaultProxy(target: string): Promise<SqsFaultProxy> {
  let active: { fault: SqsFault; left: number }[] = [];
  let wake: (() => void)[] = [];
  const calls: SqsCall[] = [];
  let again: unknown[] = [];
  let applied = 0;
  let lastFaultAt = -Infinity;
  const apply = () => {
    applied += 1;
    lastFaultAt = Date.now();
  };

  /** The first fault that applies to this call, which uses it up once. */
  const take = (call: SqsCall): SqsFault | undefined => {
    const { action, queue } = call;
    const found = active.find(
      ({ fault, left }) =>
        left > 0 &&
        (fault.action ?? action) === action &&
        (fault.queue ?? queue) === queue &&
        (fault.where?.(call) ?? true),
    );
    if (found !== undefined) found.left -= 1;
    return found?.fault;
  };
  const setFaults = (...faults: SqsFault[]) => {
    active = faults.map((fault) => ({ fault, left: fault.calls ?? Infinity }));
    calls.length = 0;
    applied = 0;
    for (const resume of wake) resume();
    wake = [];
  };

  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const call = await readCall(request, response, target);
    const seen = { action: call.action, queue: call.queue, entries: call.body.Entries ?? [], isUnanswered: false };
    response.once("close", () => {
      seen.isUnanswered = !response.writableFinished;
    });
    calls.push(seen);
    await proxy.onCall?.(seen);
    const fault = take(seen);
    if (fault !== undefined && !OF_MESSAGES.has(fault.kind)) apply();
    switch (fault?.kind) {
      case undefined:
        return reply(response, await pass(call, target));
      case "unavailable":
        return reply(response, UNAVAILABLE);
      case "throttled":
        return reply(response, THROTTLED);
      case "delay":
        await delay(fault.milliseconds);
        return reply(response, await pass(call, target));
      case "duplicate":
        return reply(
          response,
          withMessages(await pass(call, target), (messages) => {
            apply();
            return [...messages, ...messages];
          }),
        );
      case "again": {
        const answer = withMessages(await pass(call, target), (messages) => {
          const repeated = again;
          again = messages;
          if (repeated.length > 0) apply();
          return [...messages, ...repeated];
        });
        return reply(response, answer);
      }
      case "dropBefore":
        return void response.destroy();
      case "dropAfter": {
        const { body } = await pass(call, target);
        if (call.action !== "ReceiveMessage" || body.includes('"Messages"')) apply();
        return void response.destroy();
      }
      case "hang":
        await new Promise<void>((resolve) => wake.push(resolve));
        return void response.destroy();
      case "failEntries":
        return reply(response, await passOthers(call, target, fault.entries));
      default:
        return fault satisfies undefined;
    }
  };
  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const proxy: SqsFaultProxy = {
    url,
    queueUrl: (realUrl) => url + new URL(realUrl).pathname,
    calls,
    get applied() {
      return applied;
    },
    get lastFaultAt() {
      return lastFaultAt;
    },
    setFaults,
    onCall: undefined,
    async stop() {
      setFaults();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}

type Call = {
  action: string;
  /** Name of the queue. */
  queue: string;
  headers: Record<string, string>;
  body: { QueueUrl?: string; Entries?: BatchEntry[] };
  /** Fires when the client hangs up: nobody may receive messages for it then. */
  closed: AbortSignal;
};
type Answer = { status: number; body: string };

/** Reads a call of the JSON protocol and replaces its queue URL by the one that the target knows. */
async function readCall(request: IncomingMessage, response: ServerResponse, target: string): Promise<Call> {
  const closed = new AbortController();
  response.once("close", () => closed.abort());
  const chunks = (await request.toArray()) as Buffer[];
  const body = JSON.parse(Buffer.concat(chunks).toString("utf8")) as Call["body"];
  if (body.QueueUrl !== undefined) body.QueueUrl = target + new URL(body.QueueUrl).pathname;
  const headers = Object.fromEntries(
    Object.entries(request.headers).filter((pair): pair is [string, string] => !OF_THIS_HOP.has(pair[0])),
  );
  const action = String(headers["x-amz-target"]).replace("AmazonSQS.", "");
  return { action, queue: body.QueueUrl?.split("/").at(-1) ?? "", headers, body, closed: closed.signal };
}

async function pass({ headers, body, closed }: Call, target: string): Promise<Answer> {
  const response = await fetch(target, { method: "POST", headers, body: JSON.stringify(body), signal: closed });
  return { status: response.status, body: await response.text() };
}

async function passOthers(call: Call, target: string, fails: PartialFailure["entries"]): Promise<Answer> {
  const entries = call.body.Entries ?? [];
  const failed = entries.flatMap((entry) => {
    const fault = fails(entry);
    if (fault === false) return [];
    return [{ Id: entry.Id, ...(fault === "sender" ? INVALID_CONTENTS : INTERNAL_ERROR) }];
  });
  const others = entries.filter((entry) => !failed.some(({ Id }) => Id === entry.Id));
  if (others.length === 0) return { status: 200, body: JSON.stringify({ Failed: failed }) };
  const answer = await pass({ ...call, body: { ...call.body, Entries: others } }, target);
  if (answer.status !== 200) return answer;
  const { Failed = [], ...rest } = JSON.parse(answer.body) as { Failed?: unknown[] };
  return { status: 200, body: JSON.stringify({ ...rest, Failed: [...Failed, ...failed] }) };
}

function withMessages(answer: Answer, change: (messages: unknown[]) => unknown[]): Answer {
  const body = JSON.parse(answer.body) as { Messages?: unknown[] };
  if (body.Messages === undefined) return answer;
  return { ...answer, body: JSON.stringify({ ...body, Messages: change(body.Messages) }) };
}

function reply(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, {
    "content-type": "application/x-amz-json-1.0",
    "content-length": Buffer.byteLength(body),
  });
  response.end(body);
}

/** @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html */
const UNAVAILABLE: Answer = {
  status: 503,
  body: JSON.stringify({ __type: "com.amazonaws.sqs#ServiceUnavailable", message: "The service is unavailable." }),
};

const THROTTLED: Answer = {
  status: 400,
  body: JSON.stringify({ __type: "com.amazonaws.sqs#RequestThrottled", message: "Rate exceeded" }),
};

/** @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_BatchResultErrorEntry.html */
const INTERNAL_ERROR = { Code: "InternalError", SenderFault: false, Message: "An internal error occurred." };

const INVALID_CONTENTS = { Code: "InvalidMessageContents", SenderFault: true, Message: "The message is not valid." };

/** They count as applied where an answer has messages. */
const OF_MESSAGES: ReadonlySet<SqsFault["kind"]> = new Set(["duplicate", "again", "dropAfter"]);

const OF_THIS_HOP = new Set(["host", "connection", "content-length", "transfer-encoding", "expect"]);
