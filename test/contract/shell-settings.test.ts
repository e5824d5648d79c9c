import { execFile } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { Client } from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from "vitest";
import { openConnections } from "../../localstack/data-api/connections.ts";
import { createQueueClient } from "../../localstack/event-source/queue-client.ts";
import { connectionSettings } from "../../localstack/postgres/connection-settings.ts";
import { type Sqs, startSqs } from "../../localstack/sqs/sqs.ts";
import { SHELL_SETTINGS } from "../support/shell-settings.ts";
import { queueModel } from "../support/sqs.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";

const settings = (prefix: RegExp) => Object.entries(SHELL_SETTINGS).filter(([name]) => prefix.test(name));

afterEach(() => vi.unstubAllEnvs());

describe("a connection to the local database", () => {
  it.each(settings(/^PG/))("a connection to the local database is the same with %s=%s", async (name, value) => {
    const url = inject("databaseServer").ownerUrl;
    vi.stubEnv(name, value);

    const client = new Client(connectionSettings(url));
    await client.connect();
    const { rows } = await client.query<{ n: number; user: string }>("select 1 as n, current_user::text as user");
    await client.end();
    const connections = openConnections(url);
    const { username, password } = new URL(url);
    const lease = await connections.acquire({ username, password });
    const { rows: pooled } = await lease.client.query("select current_setting('application_name') as name");
    await connections.release(lease);
    await connections.close();

    expect(rows).toEqual([{ n: 1, user: new URL(url).username }]);
    expect(pooled).toEqual([{ name: "sluice data api" }]);
  });
});

describe("a command for the emulator", () => {
  it("a command for the emulator fetches from this machine directly, although Node uses the shell's proxy", async () => {
    const server = createServer((_, response) => response.end("direct"));
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const script = `
      const { reachLoopbackDirectly } = await import(${JSON.stringify(resolve("cli/reach-loopback-directly.ts"))});
      reachLoopbackDirectly(process.env);
      console.log(await (await fetch("${url}")).text());`;

    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], {
      env: { ...process.env, ...SHELL_SETTINGS },
    });
    server.close();

    expect(stdout).toBe("direct\n");
  });
});

describe("the event source's client of the local queue", () => {
  let folder: TemporaryFolder;
  let sqs: Sqs;
  beforeAll(async () => {
    folder = await temporaryFolder();
    sqs = await startSqs({ dataDir: folder.path, queues: [queueModel({ name: "events" })], region: "us-east-1" });
  });
  afterAll(async () => {
    await sqs.stop();
    await folder.remove();
  });

  it.each(settings(/^(AWS|HTTPS?_PROXY)/))(
    "the event source's client of the local queue is the same with %s=%s",
    async (name, value) => {
      vi.stubEnv(name, value);
      const queue = createQueueClient(sqs.queueUrl("events"), sqs.endpoint);

      const messages = await queue.receive(1, 0, new AbortController().signal);
      queue.close();

      expect(messages).toEqual([]);
    },
  );
});
