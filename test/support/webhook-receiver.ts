import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { readWebhook } from "../../scripts/listen/read-webhook.ts";

export type Webhook = {
  /** Its `webhook-id`. */
  id: string;
  /** As they came. */
  headers: IncomingHttpHeaders;
  body: string;
  events: Record<string, unknown>[];
  /** The number of times that its id has come, from 1. */
  attempt: number;
  /** The status with which it was answered; undefined where it was not. */
  status: number | undefined;
};

export type WebhookReceiver = Awaited<ReturnType<typeof startWebhookReceiver>>;

/** A receiver on this machine that keeps what comes. It answers 204, or as a test says. */
export async function startWebhookReceiver() {
  const received: Webhook[] = [];
  let answer: (webhook: Webhook) => number | undefined | Promise<number | undefined> = () => 204;
  let port = 0;
  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = Buffer.concat((await request.toArray()) as Buffer[]);
    const { headers } = request;
    const id = String(headers["webhook-id"]);
    const attempt = received.filter((each) => each.id === id).length + 1;
    const { events } = readWebhook(headers, body);
    const webhook: Webhook = { id, headers, body: body.toString(), events, attempt, status: undefined };
    received.push(webhook);
    webhook.status = await answer(webhook);
    if (webhook.status === undefined) response.destroy();
    else response.writeHead(webhook.status).end("an answer");
  }

  // A request that was broken off half way has no webhook.
  const server = createServer((request, response) => void receive(request, response).catch(() => response.destroy()));
  const start = async () => {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    ({ port } = server.address() as AddressInfo);
  };
  const stop = async () => {
    server.closeAllConnections();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  await start();
  return {
    url: `http://127.0.0.1:${port}/webhooks`,
    received,
    /** From now on answers so; undefined breaks the connection off. */
    answer(next: typeof answer = () => 204) {
      answer = next;
    },
    /** The ids of the events that were confirmed, in the order in which they came. */
    confirmed: () =>
      received.filter(({ status }) => status === 204).flatMap(({ events }) => events.map(({ id }) => String(id))),
    /** Nothing answers at the URL until `start`. */
    stop,
    start,
  };
}
