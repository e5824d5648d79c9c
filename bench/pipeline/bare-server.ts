import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export type BareServer = { url: string; stop: () => Promise<void> };

/**
 * What `POST /events` is compared with: `node:http` that reads the body, parses it and answers 202 with the event's id.
 * In a process of its own, as the functions are.
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
  // Whoever started it ends it by closing its stdin, also by ending itself.
  process.stdin.resume();
  await once(process.stdin, "end");
  server.closeAllConnections();
  server.close();
}

if (import.meta.main) await serve();
