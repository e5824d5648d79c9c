import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { type Connection, createConnections } from "../../functions/adapters/http/connections.ts";
import { createSinkAddresses } from "../../functions/adapters/http/sink-address.ts";
import { eventually } from "../support/eventually.ts";
import { startHttpSink } from "../support/http-sink.ts";

async function open() {
  const sink = await startHttpSink();
  onTestFinished(sink.stop);
  const connections = createConnections(createSinkAddresses({ allowHttp: true }), { allowHttp: true });
  const connection = await connections.open(sink.url);
  onTestFinished(connection.end);
  return { sink, connections, connection };
}

const post = ({ client }: Connection) =>
  new Promise<void>((resolve, reject) => {
    client.dispatch(
      { path: "/", method: "POST", body: "{}" },
      {
        onRequestStart: () => undefined,
        onResponseEnd: () => resolve(),
        onResponseError: (_controller, error) => reject(error),
      },
    );
  });

it("a connection that is kept is taken once, and serves the next request", async () => {
  const { sink, connections, connection } = await open();
  await post(connection);
  connections.keep(connection);

  expect(connections.take(sink.url)).toBe(connection);
  expect(connections.take(sink.url)).toBeUndefined();

  await post(connection);
  expect(sink.connections()).toBe(1);
});

it("the connection that was kept last is taken first", async () => {
  const { sink, connections, connection } = await open();
  const other = await connections.open(sink.url);
  onTestFinished(other.end);
  for (const each of [connection, other]) connections.keep(each);

  expect(connections.take(sink.url)).toBe(other);
});

it("a connection that its sink closes is kept no longer", async () => {
  const { sink, connections, connection } = await open();
  await post(connection);
  connections.keep(connection);

  await sink.stop();

  await eventually(
    () => connection.client.destroyed,
    (isDestroyed) => isDestroyed,
  );
  expect(connections.take(sink.url)).toBeUndefined();
});

it("a connection that has ended is not kept", async () => {
  const { sink, connections, connection } = await open();
  await post(connection);
  connection.end();

  connections.keep(connection);

  expect(connections.take(sink.url)).toBeUndefined();
});

it("of more connections than a process may keep, the one that was kept first ends", async () => {
  const { sink, connections, connection } = await open();
  await post(connection);
  connections.keep(connection);
  for (let at = 0; at < 256; at++) {
    const other = await connections.open(sink.url);
    onTestFinished(other.end);
    connections.keep(other);
  }

  expect(connection.client.destroyed).toBe(true);
});

it("a sink that would keep a connection for hours does not make us keep it", async () => {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(204, { "keep-alive": "timeout=7200" }).end();
  });
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const options = { allowHttp: true, keptMs: 50 };
  const connections = createConnections(createSinkAddresses(options), options);
  const connection = await connections.open(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  onTestFinished(connection.end);
  await post(connection);

  await eventually(
    () => connection.client.destroyed,
    (isDestroyed) => isDestroyed,
  );
});
