import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { GetItemCommand } from "@aws-sdk/client-dynamodb";
import { GetQueueAttributesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createDataApi } from "../../../functions/adapters/data-api/data-api.ts";
import { connectTable, createDynamoDb } from "../../../functions/adapters/dynamodb/client.ts";
import { openAhead } from "../../../functions/adapters/lambda/open-connection.ts";
import { connectQueue } from "../../../functions/adapters/sqs/connect-queue.ts";

const DATABASE = { CLUSTER_ARN: "arn:cluster", SECRET_ARN: "arn:secret", DATABASE_NAME: "sluice" };

const stops: (() => unknown)[] = [];

beforeEach(() => {
  for (const [name, value] of Object.entries({
    AWS_REGION: "eu-central-1",
    AWS_ACCESS_KEY_ID: "local",
    AWS_SECRET_ACCESS_KEY: "local",
    AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
  }))
    vi.stubEnv(name, value);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  vi.resetModules();
  for (const stop of stops.splice(0)) await stop();
});

/** A service at which clients of this test call, with its requests and the connections of its clients. */
async function serve(
  answer: RequestListener = (request, response) => request.resume().on("end", () => response.end("{}")),
) {
  const sockets: Socket[] = [];
  const requests: string[] = [];
  const signed: boolean[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    signed.push(request.headers.authorization !== undefined);
    answer(request, response);
  }).on("connection", (socket: Socket) => sockets.push(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  stops.push(
    () => server.close(),
    () => server.closeAllConnections(),
  );
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  vi.stubEnv("AWS_ENDPOINT_URL", url);
  return { url, requests, signed, sockets };
}

const select = (database: ReturnType<typeof createDataApi>) => database.execute("select 1", {}, Date.now() + 10_000);

describe("a connection that is opened ahead", () => {
  it("a connection that is opened ahead has the first statement, and no statement opens it", async () => {
    const { requests, signed, sockets } = await serve();
    const database = createDataApi(DATABASE, openAhead);

    await select(database);

    expect(requests).toEqual(["GET /", "POST /Execute"]);
    expect(signed).toEqual([false, true]);
    expect(sockets).toHaveLength(1);
  });

  it("a connection that is opened ahead has the first call of a table", async () => {
    const { requests, signed, sockets } = await serve();
    const client = createDynamoDb();

    await connectTable(client, "usage");
    await client.send(new GetItemCommand({ TableName: "usage", Key: {} }));

    expect(requests).toEqual(["GET /", "POST /"]);
    expect(signed).toEqual([false, true]);
    expect(sockets).toHaveLength(1);
  });

  it("a connection that is opened ahead has the first call of a queue, at the origin of the queue's URL", async () => {
    const { url, requests, signed, sockets } = await serve();
    vi.stubEnv("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    const client = new SQSClient();
    const queueUrl = `${url}/000000000000/wakes`;

    await connectQueue(client, queueUrl);
    await client.send(new GetQueueAttributesCommand({ QueueUrl: queueUrl }));

    expect(requests).toEqual(["GET /", "POST /"]);
    expect(signed).toEqual([false, true]);
    expect(sockets).toHaveLength(1);
  });

  it.each<[string, RequestListener]>([
    ["is refused", (_, response) => response.writeHead(404).end("<html>")],
    ["is closed", (request) => request.socket.resetAndDestroy()],
    ["gets no answer within a second", () => undefined],
  ])("a statement does not miss a connection that %s", async (_, answer) => {
    const { requests } = await serve((request, response) => {
      if (request.method === "GET") answer(request, response);
      else request.resume().on("end", () => response.end("{}"));
    });
    const database = createDataApi(DATABASE, openAhead);

    await expect(select(database)).resolves.toMatchObject({ rows: [] });
    expect(requests).toEqual(["GET /", "POST /Execute"]);
  });

  it("a service that cannot be reached fails no opening", async () => {
    vi.stubEnv("AWS_ENDPOINT_URL", "http://127.0.0.1:1");

    await expect(connectTable(createDynamoDb(), "usage")).resolves.toBeUndefined();
  });
});

describe("a function that starts", () => {
  const ENVIRONMENT = {
    STAGE: "test",
    METRICS_NAMESPACE: "Sluice",
    LOG_LEVEL: "ERROR",
    QUEUE_VISIBILITY_SECONDS: "370",
    ACCESS_TABLE: "access",
    USAGE_TABLE: "usage",
    AUDIT_TABLE: "audit",
    VERSION: "0.1.0",
    BUILD: "0",
    KEY_SECRET_ARN: "arn:aws:secretsmanager:eu-central-1:000000000000:secret:keys",
    UNKNOWN_TYPES: "accept",
    UNKNOWN_VERSIONS: "refuse",
    CLUSTER_ARN: "arn:aws:rds:eu-central-1:000000000000:cluster:events",
    READER_SECRET_ARN: "arn:aws:secretsmanager:eu-central-1:000000000000:secret:reader",
    SECRET_ARN: "arn:aws:secretsmanager:eu-central-1:000000000000:secret:events",
    DATABASE_NAME: "sluice",
  };

  /** Starts a function with the Data API at one address and every other service at another. */
  async function start(name: string) {
    const dataApi = await serve();
    const others = await serve();
    for (const [variable, value] of Object.entries(ENVIRONMENT)) vi.stubEnv(variable, value);
    for (const queue of ["QUEUE", "DEAD_LETTER_QUEUE", "STATUS_QUEUE", "WAKE_QUEUE", "STEPS_QUEUE"])
      vi.stubEnv(`${queue}_URL`, `${others.url}/000000000000/${queue}`);
    vi.stubEnv("AWS_ENDPOINT_URL_RDS_DATA", dataApi.url);
    await import(`../../../functions/${name}/handler.ts`);
    return { dataApi, others };
  }

  it.each(["consume", "query", "drain", "notify", "replay"])(
    "%s opens a connection to the Data API, and runs no statement",
    async (name) => {
      const { dataApi } = await start(name);

      await vi.waitFor(() => expect(dataApi.requests).toEqual(["GET /"]), 5_000);
      expect(dataApi.signed).toEqual([false]);
    },
  );

  it("consume opens one to its tables and one to its queues", async () => {
    const { others } = await start("consume");

    await vi.waitFor(() => expect(others.requests).toEqual(["GET /", "GET /"]), 5_000);
    expect(others.sockets).toHaveLength(2);
  });

  it("a process that is provisioned ahead opens nothing", async () => {
    vi.stubEnv("AWS_LAMBDA_INITIALIZATION_TYPE", "provisioned-concurrency");
    const { requests } = await serve();

    await select(createDataApi(DATABASE, openAhead));

    expect(requests).toEqual(["POST /Execute"]);
  });
});
