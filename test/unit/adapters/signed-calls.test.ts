import { hash } from "node:crypto";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { setImmediate as afterAnswer } from "node:timers/promises";
import { afterEach, expect, it } from "vitest";
import { createSignedCalls } from "../../../functions/adapters/sqs/signed-calls.ts";

const stops: (() => unknown)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** A server that answers as SQS, and the connections of its clients. */
async function serve(answer: RequestListener) {
  const sockets: Socket[] = [];
  const server = createServer(answer).on("connection", (socket: Socket) => sockets.push(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  stops.push(
    () => server.close(),
    () => server.closeAllConnections(),
  );
  return { queueUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/000000000000/events`, sockets };
}

const open = () =>
  createSignedCalls(() => ({
    region: "eu-central-1",
    credentials: { accessKeyId: "local", secretAccessKey: "local", sessionToken: undefined },
  }));

const send = (calls: ReturnType<typeof open>, QueueUrl: string, abortSignal = AbortSignal.timeout(5_000)) =>
  calls.sendBatch({ QueueUrl, Entries: [{ Id: "0", MessageBody: "m0", MessageAttributes: {} }] }, { abortSignal });

const confirming =
  (MD5OfMessageBody: string): RequestListener =>
  (request, response) => {
    request.resume().on("end", () => response.end(JSON.stringify({ Successful: [{ Id: "0", MD5OfMessageBody }] })));
  };

const confirm = confirming(hash("md5", "m0"));

it("a message that SQS got with another body is not confirmed", async () => {
  const { queueUrl } = await serve(confirming(hash("md5", "m1")));

  await expect(send(open(), queueUrl)).rejects.toMatchObject({ name: "InvalidChecksum" });
});

it("an error has the code of SQS as its name, and the status where there is none", async () => {
  const bodies = ['{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"No"}', "<html>"];
  const { queueUrl } = await serve((_, response) => response.writeHead(503).end(bodies.shift()));
  const calls = open();

  await expect(send(calls, queueUrl)).rejects.toMatchObject({ name: "QueueDoesNotExist" });
  await expect(send(calls, queueUrl)).rejects.toMatchObject({ name: "Status503" });
});

it("a connection is kept, and one that SQS closes as the next call begins is replaced", async () => {
  let calls = 0;
  const { queueUrl, sockets } = await serve((request, response) => {
    calls += 1;
    if (calls === 3) request.socket.resetAndDestroy();
    else confirm(request, response);
  });
  const client = open();

  for (let call = 0; call < 3; call++) expect((await send(client, queueUrl)).Successful).toHaveLength(1);

  expect(calls).toBe(4);
  expect(sockets).toHaveLength(2);
});

it("a new connection that SQS closes ends the call, which its caller repeats", async () => {
  let calls = 0;
  const { queueUrl } = await serve((request) => {
    calls += 1;
    request.socket.resetAndDestroy();
  });

  await expect(send(open(), queueUrl)).rejects.toMatchObject({ code: "ECONNRESET" });
  expect(calls).toBe(1);
});

it("a connection that is opened ahead serves the first call", async () => {
  const methods: (string | undefined)[] = [];
  const { queueUrl, sockets } = await serve((request, response) => {
    methods.push(request.method);
    confirm(request, response);
  });
  const client = open();

  await client.connect(queueUrl);
  // The connection is free a moment after its answer.
  await afterAnswer();
  await send(client, queueUrl);

  expect(methods).toEqual(["GET", "POST"]);
  expect(sockets).toHaveLength(1);
});

it("a connection that cannot be opened ahead fails nothing", async () => {
  const { queueUrl } = await serve((request) => request.socket.resetAndDestroy());

  await expect(open().connect(queueUrl)).resolves.toBeUndefined();
});
