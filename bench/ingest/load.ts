import { connect } from "node:net";
import { KEY } from "./bench-key.ts";
import { makeBody } from "../events.ts";

/**
 * A load generator in its own process, started and controlled over IPC by measure.ts. Each keep-alive connection sends
 * its next request on each answer. It uses plain sockets, because an HTTP client costs more than the measured server.
 */
const CONNECTIONS = 16;
/** Number of different requests, sent in rotation. */
const REQUESTS = 64;

export type LoadSettings = { eventsPerRequest: number; eventBytes: number };
export type LoadRun = { port: number; milliseconds: number };
export type LoadResult = { answers: number; milliseconds: number };

const { eventsPerRequest, eventBytes } = JSON.parse(process.argv[2] ?? "{}") as LoadSettings;
const requests = Array.from({ length: REQUESTS }, (_, serial) => {
  const body = Buffer.from(makeBody({ events: eventsPerRequest, eventBytes, serial }));
  const head = `POST /events HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench/1\r\nAccept: */*\r\nContent-Type: application/json\r\nAuthorization: Bearer ${KEY}\r\nContent-Length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
});

process.on("message", (run: LoadRun) => void keepAllBusy(run));
process.on("disconnect", () => process.exit());

async function keepAllBusy({ port, milliseconds }: LoadRun): Promise<void> {
  const started = performance.now();
  const until = started + milliseconds;
  const counts = await Promise.all(Array.from({ length: CONNECTIONS }, (_, i) => keepBusy(port, until, i * 4)));
  const answers = counts.reduce((sum, each) => sum + each, 0);
  process.send?.({ answers, milliseconds: performance.now() - started } satisfies LoadResult);
}

/** Sends requests until the deadline and counts the answers. @throws Error for any answer but 202 */
function keepBusy(port: number, until: number, first: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    let answers = 0;
    let missing = 0;
    const send = () => socket.write(requests[(first + answers) % REQUESTS] ?? "");
    socket.on("connect", send);
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("The server closed a connection.")));
    socket.on("data", (chunk) => {
      missing = missing === 0 ? missingOf(chunk) : missing - chunk.length;
      if (missing !== 0) return;
      answers += 1;
      if (performance.now() < until) send();
      else socket.removeAllListeners("close").end(() => resolve(answers));
    });
  });
}

/** Computes the remaining bytes of an answer from its first chunk, which has at least the head. */
function missingOf(chunk: Buffer): number {
  const headEnd = chunk.indexOf("\r\n\r\n");
  const head = chunk.toString("latin1", 0, headEnd);
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
  if (!head.startsWith("HTTP/1.1 202 ") || length === undefined)
    throw new Error(`Unexpected answer: ${chunk.toString()}`);
  return headEnd + 4 + Number(length) - chunk.length;
}
