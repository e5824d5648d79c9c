import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { temporaryFolder } from "./temporary-folder.ts";

type FakeRequest = {
  method: string;
  path: string;
  query: Record<string, string>;
  /** As it was sent. */
  body: string;
  headers: IncomingHttpHeaders;
};

type FakeAnswer = { status?: number; body?: unknown };

/** Answers the requests of a command by a function of the test, in place of a stack that runs here. */
export async function startFakeApi() {
  const requests: FakeRequest[] = [];
  let answer: (request: FakeRequest) => FakeAnswer | Promise<FakeAnswer> = () => ({ status: 404 });
  const folder = await temporaryFolder();
  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://x");
    const { method = "", headers } = request;
    const body = Buffer.concat((await request.toArray()) as Buffer[]).toString();
    const received = { method, path: pathname, query: Object.fromEntries(searchParams), body, headers };
    requests.push(received);
    const { status = 200, body: answered } = await answer(received);
    response.writeHead(status).end(answered === undefined ? "" : JSON.stringify(answered));
  }

  const server = createServer((request, response) => void respond(request, response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  // The file that `npm start` writes while it runs.
  const runtime = { url, queueUrl: url, deadLetterQueueUrl: url, awsEndpointUrl: url, region: "r", apiKey: "K" };
  await writeFile(join(folder.path, "runtime.json"), JSON.stringify(runtime));
  return {
    url,
    requests,
    /** The option that leads a command here. */
    flags: ["--data-dir", folder.path],
    answer(next: typeof answer) {
      answer = next;
      requests.length = 0;
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await folder.remove();
    },
  };
}

export type FakeApi = Awaited<ReturnType<typeof startFakeApi>>;
