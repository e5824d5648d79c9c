import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { deploy } from "../../localstack/emulator/deploy.ts";
import { SHELL_SETTINGS } from "../support/shell-settings.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";

let folder: TemporaryFolder;
let asked: string[] = [];
/** An emulator that says whose account it is, and refuses every other call. */
const server = createServer((request, response) => {
  asked.push(request.headers.host ?? "");
  let body = "";
  request.on("data", (chunk: Buffer) => (body += chunk.toString()));
  request.on("end", () => {
    const isIdentity = body.includes("GetCallerIdentity");
    response.writeHead(isIdentity ? 200 : 403, { "content-type": "text/xml" }).end(isIdentity ? IDENTITY : REFUSAL);
  });
});
const IDENTITY =
  "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>000000000000</Account><Arn>arn:aws:iam::000000000000:root</Arn><UserId>me</UserId></GetCallerIdentityResult></GetCallerIdentityResponse>";
const REFUSAL = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>refused</Message></Error></ErrorResponse>";

beforeAll(async () => {
  folder = await temporaryFolder();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  server.close();
  await folder.remove();
});
afterEach(() => vi.unstubAllEnvs());

describe("a deployment into an emulator", () => {
  it("a deployment into an emulator calls it directly, whatever the shell has set for other programs", async () => {
    for (const [name, value] of Object.entries(SHELL_SETTINGS)) vi.stubEnv(name, value);
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    asked = [];

    const deployed = deploy(
      {
        pid: process.pid,
        emulator: "other",
        startedBy: "user",
        endpoint: `http://${host}`,
        databaseUrl: "postgres://nobody@127.0.0.1:1/none",
        databaseDir: folder.path,
        dataApiUrl: "http://127.0.0.1:1",
        database: {
          clusterArn: "arn:aws:rds:us-east-1:000000000000:cluster:none",
          secretArn: "arn:aws:secretsmanager:us-east-1:000000000000:secret:none",
          databaseName: "none",
          endpoint: "http://127.0.0.1:1",
        },
      },
      { dataDir: folder.path },
    );

    await expect(deployed).rejects.toThrow("cdk bootstrap ended with 1");
    expect(asked.length).toBeGreaterThan(0);
    expect(new Set(asked)).toEqual(new Set([host]));
  });
});
