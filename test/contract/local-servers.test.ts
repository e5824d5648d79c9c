import { once } from "node:events";
import { type OutgoingHttpHeaders, request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { startApiGateway } from "../../localstack/api-gateway/start-api-gateway.ts";
import { startDataApi } from "../../localstack/data-api/data-api.ts";
import { secretOfUrl } from "../../localstack/data-api/secrets.ts";
import { startDynamodb } from "../../localstack/dynamodb/dynamodb.ts";
import { startSecretsManager } from "../../localstack/secrets-manager/secrets-manager.ts";
import { startSqs } from "../../localstack/sqs/sqs.ts";
import { secretModel } from "../support/secrets-manager.ts";
import { queueModel } from "../support/sqs.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";

const CLUSTER_ARN = "arn:aws:rds:eu-west-1:000000000000:cluster:sluice";
const SECRET_ARN = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:sluice";

/** A call that changes or shows something, as a page of another site can send it: a simple request. */
type Call = { method: string; path: string; body: string; headers: OutgoingHttpHeaders };

const SQL = JSON.stringify({ resourceArn: CLUSTER_ARN, secretArn: SECRET_ARN, database: "events", sql: "select 1" });
const SIGNED = {
  authorization: "AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request, SignedHeaders=host, Signature=0",
  "x-amz-date": "20260101T000000Z",
};
const CALLS: Record<string, { server: "api" | "database" | "queue" | "tables" | "secrets"; call: Call }> = {
  "the API, to send an event": {
    server: "api",
    call: { method: "POST", path: "/events", body: "{}", headers: { "content-type": "text/plain" } },
  },
  "the API, to read one": { server: "api", call: { method: "GET", path: "/events", body: "", headers: {} } },
  "the Data API": {
    server: "database",
    call: { method: "POST", path: "/Execute", body: SQL, headers: { "content-type": "text/plain" } },
  },
  "the faults": { server: "database", call: { method: "PUT", path: "/_faults", body: "[]", headers: {} } },
  "the queue": {
    server: "queue",
    call: {
      method: "POST",
      path: "/",
      body: "{}",
      headers: { "content-type": "application/x-amz-json-1.0", "x-amz-target": "AmazonSQS.ListQueues" },
    },
  },
  "the tables": {
    server: "tables",
    call: {
      method: "POST",
      path: "/",
      body: "{}",
      headers: { ...SIGNED, "content-type": "application/json", "x-amz-target": "DynamoDB_20120810.ListTables" },
    },
  },
  "the secrets": {
    server: "secrets",
    call: {
      method: "POST",
      path: "/",
      body: '{"SecretId":"keys"}',
      headers: { ...SIGNED, "content-type": "text/plain", "x-amz-target": "secretsmanager.GetSecretValue" },
    },
  },
};

let folder: TemporaryFolder;
const urls: Record<string, string> = {};
const stops: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  folder = await temporaryFolder();
  const function_ = { functionArn: "arn:aws:lambda:eu-west-1:000000000000:function:all" };
  const api = await startApiGateway({
    api: {
      name: "events",
      restApiId: "abc",
      stageName: "dev",
      routes: [
        { method: "POST", path: "/events", ...function_ },
        { method: "GET", path: "/events", ...function_ },
      ],
      binaryMediaTypes: [],
      gatewayResponses: [],
    },
    invoke: () => async () => ({ kind: "success", payload: '{"statusCode":200,"body":"{}"}' }),
    port: 0,
    accountId: "000000000000",
  });
  const database = await startDataApi({
    databaseUrl: inject("databaseServer").ownerUrl,
    clusterArn: CLUSTER_ARN,
    readSecret: secretOfUrl(SECRET_ARN, inject("databaseServer").ownerUrl),
    databaseName: "events",
  });
  const queue = await startSqs({ dataDir: folder.path, queues: [queueModel({ name: "events" })], region: "us-east-1" });
  const tables = await startDynamodb({ dataDir: join(folder.path, "dynamodb"), tables: [] });
  const secrets = await startSecretsManager({
    dataDir: join(folder.path, "secrets"),
    secrets: [secretModel({ name: "keys" })],
    invoke: () => Promise.reject(new Error("no function")),
  });
  Object.assign(urls, {
    api: api.url,
    database: database.url,
    queue: queue.endpoint,
    tables: tables.endpoint,
    secrets: secrets.url,
  });
  stops.push(
    () => api.stop(),
    () => database.stop(),
    () => queue.stop(),
    () => tables.stop(),
    () => secrets.stop(),
  );
});
afterAll(async () => {
  await Promise.all(stops.map((stop) => stop()));
  await folder.remove();
});

/** The status of a call with these headers, at an address of the loopback interface. */
function send(name: string, headers: OutgoingHttpHeaders, address = "127.0.0.1"): Promise<number> {
  const { server, call } = CALLS[name] ?? raise();
  const { port } = new URL(urls[server] ?? "");
  return new Promise((resolve, reject) => {
    const options = { host: address, port, method: call.method, path: call.path };
    const sent = request({ ...options, headers: { ...call.headers, ...headers } }, (response) => {
      response.resume().on("end", () => resolve(response.statusCode ?? 0));
    });
    sent.on("error", reject).end(call.body);
  });
}

function raise(): never {
  throw new Error("no such call");
}

describe.each(Object.keys(CALLS))("a request of %s", (name) => {
  it.each<OutgoingHttpHeaders>([
    { host: "evil.example" },
    { host: "evil.example", origin: "http://evil.example" },
    { origin: "https://evil.example" },
    { origin: "null" },
  ])("a request of another site's page with %j is refused with a 403", async (headers) => {
    expect(await send(name, headers)).toBe(403);
  });

  it.each<[headers: OutgoingHttpHeaders, address?: string]>([
    [{}],
    [{ host: "localhost" }],
    [{}, "::1"],
    [{ host: "localhost", origin: "http://localhost" }],
  ])("a request of this machine with %j at the address %s is answered", async (headers, address) => {
    expect(await send(name, headers, address)).toBe(200);
  });
});

describe("a local server that stops", () => {
  it("a local server that stops closes the connections of both addresses", async () => {
    const server = await startDataApi({
      databaseUrl: "postgres://nobody@127.0.0.1:1/none",
      clusterArn: CLUSTER_ARN,
      readSecret: async () => undefined,
      databaseName: "events",
    });
    const closed: Promise<unknown>[] = [];
    for (const host of ["127.0.0.1", "::1"]) {
      const socket = connect({ host, port: Number(new URL(server.url).port) });
      socket.write("GET /_faults HTTP/1.1\r\nHost: localhost\r\n\r\n");
      await once(socket, "data");
      closed.push(once(socket, "close"));
    }

    await server.stop();

    expect(await Promise.all(closed)).toHaveLength(2);
  });
});
