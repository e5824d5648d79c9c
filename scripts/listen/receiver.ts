import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { CLAIM_MAX_BYTES } from "../../functions/core/subscription-limits.ts";
import { readWebhook, type WebhookEvents } from "./read-webhook.ts";
import { type Verdict, verifyWebhook, type WebhookKeys } from "./verify-webhook.ts";

/** A webhook that came, and its answer. */
export type ReceivedWebhook = Verdict &
  Partial<WebhookEvents> & {
    at: string;
    /** Its `webhook-id`. */
    id: string;
    /** The number of times that this id has come, from 1. */
    attempt: number;
    status: number;
  };

export type AnswerOptions = {
  /** Of the webhooks that come first, so many fail. Undefined: all, where there is a status, or none. */
  fail?: number | undefined;
  /** The status of those that fail. */
  status?: number | undefined;
  delayMs?: number | undefined;
};

export type Receiver = { url: string; stop(): Promise<void> };

/** Above a batch, its brackets and commas. */
const BODY_MAX_BYTES = 2 * CLAIM_MAX_BYTES;

/** Ids whose attempts are counted; the first of them are forgotten. */
const IDS_MAX = 100_000;

const DEFAULT_FAILURE = 500;

/** Answers webhooks on a port of this machine, and gives each one to `onWebhook`. No webhook is answered before its keys are there. */
export async function startReceiver({
  port,
  keys,
  answer,
  onWebhook,
}: {
  port: number;
  keys: Promise<WebhookKeys>;
  answer: AnswerOptions;
  onWebhook: (webhook: ReceivedWebhook) => void;
}): Promise<Receiver> {
  const attempts = new Map<string, number>();
  const stopping = new AbortController();
  let failures = 0;

  function statusOf({ verdict }: Verdict): number {
    if (verdict === "refused") return 401;
    const fails = answer.fail === undefined ? answer.status !== undefined : failures < answer.fail;
    if (!fails) return 204;
    failures += 1;
    return answer.status ?? DEFAULT_FAILURE;
  }

  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = request.method === "POST" ? await readBody(request) : undefined;
    if (body === undefined) return void response.writeHead(request.method === "POST" ? 413 : 405).end();
    const at = new Date();
    const id = String(request.headers["webhook-id"] ?? "");
    const attempt = (attempts.get(id) ?? 0) + 1;
    attempts.set(id, attempt);
    if (attempts.size > IDS_MAX) for (const [oldest] of attempts) if (attempts.delete(oldest)) break;
    const { events, verdict } = judge(request, body, { at, keys: await keys });
    const status = statusOf(verdict);
    if (answer.delayMs !== undefined)
      await delay(answer.delayMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    onWebhook({ at: at.toISOString(), id, attempt, ...verdict, status, ...events });
    response.writeHead(status).end();
  }

  const server = createServer((request, response) => {
    receive(request, response).catch(() => response.destroy());
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening").catch((error: unknown) => {
    throw (error as NodeJS.ErrnoException).code === "EADDRINUSE"
      ? new Error(`Port ${port} is in use. Name another with --port; 0 takes any free one.`, { cause: error })
      : error;
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      stopping.abort();
      const closed = once(server, "close");
      server.close();
      server.closeIdleConnections();
      await closed;
    },
  };
}

/** Without right signatures, nobody knows where the body came from; it is shown nevertheless. */
function judge(
  request: IncomingMessage,
  body: Buffer,
  { at, keys }: { at: Date; keys: WebhookKeys },
): { events?: WebhookEvents; verdict: Verdict } {
  const verdict = verifyWebhook(keys, request.headers, body, at.getTime());
  try {
    return { events: readWebhook(request.headers, body), verdict };
  } catch (error) {
    const why = [verdict.why, (error as Error).message].filter((text) => text !== undefined).join("; ");
    return { verdict: { verdict: "refused", why } };
  }
}

/** Undefined for a body that no webhook has. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_MAX_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
