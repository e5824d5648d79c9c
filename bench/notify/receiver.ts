import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { answerParent, startChild } from "./child.ts";

/** A webhook as it came. */
export type Webhook = { headers: IncomingHttpHeaders; body: string };

/** One event at one sink: the path of the sink, the event's id, and the time at which its last byte was read, ms since the epoch. */
type Receipt = [sink: string, event: string, at: number];

export type Received = {
  receipts: Receipt[];
  /** The first of them. */
  samples: Webhook[];
};

export type Receiver = {
  /** Answers 204. A path that begins with `/sinks/` is a sink whose webhooks are kept. */
  url: string;
  /** Accepts requests and never answers. */
  silentUrl: string;
  /** Refuses connections. */
  refusingUrl: string;
  /** Webhooks that were kept since the last `take`. */
  count: () => Promise<number>;
  /** Gives what came since the last call, and ends the requests that wait for the silent sink. */
  take: () => Promise<Received>;
  stop: () => Promise<void>;
};

type Question = { kind: "addresses" | "count" | "take" };
type Addresses = Pick<Receiver, "url" | "silentUrl" | "refusingUrl">;
type Answer = Addresses | number | Received;

/** Starts the receiver of webhooks in a process of its own, as receivers are. */
export async function startReceiver(): Promise<Receiver> {
  const child = startChild<Question, Answer>(import.meta.filename);
  return {
    ...((await child.ask({ kind: "addresses" })) as Addresses),
    count: async () => (await child.ask({ kind: "count" })) as number,
    take: async () => (await child.ask({ kind: "take" })) as Received,
    stop: child.stop,
  };
}

async function serve(): Promise<void> {
  let received: Received = { receipts: [], samples: [] };
  const live = await listen((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const at = performance.timeOrigin + performance.now();
      response.writeHead(204).end();
      const body = Buffer.concat(chunks).toString("utf8");
      const { id } = JSON.parse(body) as { id: string };
      const { url = "" } = request;
      if (!url.startsWith("/sinks/")) return;
      received.receipts.push([url, id, at]);
      if (received.samples.length < SAMPLES) received.samples.push({ headers: request.headers, body });
    });
  });
  const silent = await listen((request) => request.resume());
  const refusing = await listen(() => undefined);
  const refusingUrl = urlOf(refusing);
  refusing.close();

  answerParent(({ kind }: Question): Answer => {
    if (kind === "addresses") return { url: urlOf(live), silentUrl: urlOf(silent), refusingUrl };
    if (kind === "count") return received.receipts.length;
    silent.closeAllConnections();
    const taken = received;
    received = { receipts: [], samples: [] };
    return taken;
  });
}

async function listen(onRequest: RequestListener): Promise<Server> {
  const server = createServer({ keepAliveTimeout: 60_000, requestTimeout: 0 }, onRequest);
  server.listen({ port: 0, host: "127.0.0.1", backlog: 1_024 });
  await once(server, "listening");
  return server;
}

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Enough different bodies for the bare loop. */
const SAMPLES = 100;

if (import.meta.main) await serve();
