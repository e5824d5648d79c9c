import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export type BareServer = { url: string; stop: () => Promise<void> };

/**
 * Starts the baseline of `POST /events`: `node:http` that reads and parses the body and answers 202 with the event's id. It
 * runs in its own process, as the functions do.
 */
export async function startBareServer(): Promise<BareServer> {
  const child = spawn(process.execPath, [import.meta.filename], { stdio: ["pipe", "pipe", "inherit"] });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  return {
    url: line.toString("utf8").trim(),
    async stop() {
      child.stdin.end();
      await once(child, "exit");
    },
  };
}

async function serve(): Promise<void> {
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { id } = JSON.parse(Buffer.concat(chunks).toString("utf8")) as { id: string };
      const body = JSON.stringify({ accepted: 1, rejected: 0, results: [{ index: 0, id, status: "accepted" }] });
      response.writeHead(202, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
      response.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", 1024, resolve));
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
  // The parent ends this process by closing its stdin, also when the parent itself ends.
  process.stdin.resume();
  await once(process.stdin, "end");
  server.closeAllConnections();
  server.close();
}

if (import.meta.main) await serve();
