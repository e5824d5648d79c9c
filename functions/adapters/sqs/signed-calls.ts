import { hash } from "node:crypto";
import { Agent as HttpAgent, type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { once } from "../../core/once.ts";
import type { SendBatch, SendBatchInput, SendBatchOutput } from "./send-in-batches.ts";
import { type Credentials, signRequest } from "./sign-request.ts";

/** More connections than a request of ingest has calls at a time, for the queue of events and that of refusals. */
const SOCKETS_MAX = 32;

export type SignedCalls = {
  sendBatch: SendBatch;
  /** Opens a connection for the first call. Never throws: a call opens its own. */
  connect: (queueUrl: string) => Promise<void>;
};

/**
 * `SendMessageBatch` without the SDK, whose layers take six times as long as the call itself (docs/decisions/0041). As with the SDK, a call
 * goes to the origin of the queue's URL, is signed, and counts as confirmed only if SQS has the bodies' MD5. Another attempt is the
 * caller's: only a connection that SQS had closed is replaced here.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-json.html
 */
export function createSignedCalls(aws: () => { region: string; credentials: Credentials }): SignedCalls {
  const caller = once(aws);
  const transports = {
    "http:": { request: httpRequest, agent: new HttpAgent({ keepAlive: true, maxSockets: SOCKETS_MAX }) },
    "https:": { request: httpsRequest, agent: new HttpsAgent({ keepAlive: true, maxSockets: SOCKETS_MAX }) },
  };
  const origins = new Map<string, ReturnType<typeof originOf>>();

  function originOf(queueUrl: string) {
    const { protocol, hostname, host, port } = new URL(queueUrl);
    const { request, agent } = transports[protocol as keyof typeof transports];
    const options = { agent, host: hostname.replaceAll(/[[\]]/g, ""), ...(port !== "" && { port }), path: "/" };
    return { host, request, options };
  }

  function find(queueUrl: string) {
    const known = origins.get(queueUrl);
    if (known !== undefined) return known;
    const origin = originOf(queueUrl);
    origins.set(queueUrl, origin);
    return origin;
  }

  async function post(queueUrl: string, body: string, signal: AbortSignal): Promise<string> {
    const { host, request, options } = find(queueUrl);
    const headers = {
      "content-type": "application/x-amz-json-1.0",
      host,
      "x-amz-target": "AmazonSQS.SendMessageBatch",
    };
    const sent = request({ ...options, method: "POST", headers: signRequest("sqs", caller(), headers, body), signal });
    sent.end(body);
    try {
      return await answerOf(sent);
    } catch (error) {
      // SQS closes connections that were idle; the call did not reach it (https://nodejs.org/api/http.html#requestreusedsocket).
      if (sent.reusedSocket && (error as NodeJS.ErrnoException).code === "ECONNRESET" && !signal.aborted)
        return post(queueUrl, body, signal);
      throw error;
    }
  }

  return {
    async sendBatch(input, { abortSignal }) {
      const answer = JSON.parse(await post(input.QueueUrl, JSON.stringify(input), abortSignal)) as Confirmed;
      checkBodies(input, answer);
      return answer;
    },
    async connect(queueUrl) {
      const { request, options } = find(queueUrl);
      await answerOf(request({ ...options, method: "GET" }).end()).catch(() => undefined);
    },
  };
}

type Confirmed = SendBatchOutput & { Successful?: { Id?: string; MD5OfMessageBody?: string }[] };

/** @throws Error where SQS got another body, as the SDK does */
function checkBodies({ Entries: entries }: SendBatchInput, { Successful: confirmed = [] }: Confirmed): void {
  for (const { Id: id, MD5OfMessageBody: md5 } of confirmed) {
    const body = entries.find((entry) => entry.Id === id)?.MessageBody;
    if (body !== undefined && hash("md5", body, "hex") !== md5) throw named("InvalidChecksum");
  }
}

/** The body of an answer with status 200. @throws Error */
function answerOf(sent: ClientRequest): Promise<string> {
  return new Promise((resolve, reject) => {
    sent.on("error", reject);
    sent.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        if (response.statusCode === 200) resolve(text);
        else reject(named(codeOf(response, text)));
      });
    });
  });
}

/** The code of an error, as `com.amazonaws.sqs#QueueDoesNotExist` has it behind `#`; the status where there is none. */
function codeOf({ statusCode }: IncomingMessage, text: string): string {
  return /"__type":"(?:[^"]*#)?([A-Za-z0-9.]+)"/.exec(text)?.[1] ?? `Status${statusCode}`;
}

function named(name: string): Error {
  return Object.assign(new Error("The call of SQS failed"), { name });
}
