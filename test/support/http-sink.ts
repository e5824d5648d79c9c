import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { SinkBehaviour } from "./conformance/notifier.ts";

type Received = { url: string; headers: IncomingHttpHeaders; rawHeaders: string[]; body: Buffer };

type Answer = (response: ServerResponse, received: Received) => void;

export type HttpSink = {
  url: string;
  port: number;
  /** Requests that were read whole. */
  received: Received[];
  /** Connections that were made, whether anything came over them or not. */
  connections: () => number;
  answer: Answer;
  behave: (behaviour: SinkBehaviour) => void;
  stop: () => Promise<void>;
};

type Options = {
  takes?: Answer;
  /** Answers of the form of the service. @default 503 and 410 */
  busy?: Answer;
  refuses?: Answer;
};

/** A server on the loopback interface that receives what a notifier sends, and behaves as it is asked to. */
export async function startHttpSink({
  takes = ok,
  busy = unavailable,
  refuses = ended,
}: Options = {}): Promise<HttpSink> {
  let connections = 0;
  const server = createServer((request, response) => {
    readAll(request).then(
      (received) => sink.answer(response, received),
      () => response.destroy(),
    );
  });
  server.on("connection", () => (connections += 1));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const take: Answer = (response, received) => {
    sink.received.push(received);
    takes(response, received);
  };
  const answers: Record<SinkBehaviour, Answer> = {
    takes: take,
    busy,
    refuses,
    hangs: () => undefined,
    drops: (response) => response.destroy(),
  };
  const sink: HttpSink = {
    url: `http://127.0.0.1:${port}`,
    port,
    received: [],
    connections: () => connections,
    answer: take,
    behave: (behaviour) => (sink.answer = answers[behaviour]),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return sink;
}

async function readAll(request: IncomingMessage): Promise<Received> {
  const body = Buffer.concat((await request.toArray()) as Buffer[]);
  return { url: request.url ?? "", headers: request.headers, rawHeaders: request.rawHeaders, body };
}

const ok: Answer = (response) => void response.writeHead(204).end();
const unavailable: Answer = (response) => void response.writeHead(503).end("answer-secret");
const ended: Answer = (response) => void response.writeHead(410).end("answer-secret");
