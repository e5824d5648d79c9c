import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { probe } from "../../localstack/emulator/probe.ts";
import { startTestRuntime, type TestRuntime } from "../support/runtime.ts";

let runtime: TestRuntime;
beforeAll(async () => {
  runtime = await startTestRuntime();
});
afterAll(() => runtime?.remove());

describe("the probe of a deployed stack", () => {
  it("the probe of a deployed stack is stored, and leaves neither event nor key", async () => {
    expect(await probe(runtime.addresses)).toBe("stored");

    expect(await runtime.query("select id from events")).toEqual([]);
    expect(await runtime.query("select id from event_keys")).toEqual([]);
  });

  it("the probe of a stack that stores nothing fails with the last answer", async () => {
    await runtime.query("alter table events rename to events_elsewhere");

    await expect(probe(runtime.addresses, 3_000)).rejects.toThrow(
      /did not store a probe event in time: GET http:.*\/events\/probe-.* last answered \d{3}/,
    );
  });

  it("the probe of an address without a stack fails with the reason", async () => {
    await expect(probe({ ...runtime.addresses, url: "http://127.0.0.1:1" }, 500)).rejects.toThrow(
      /POST http:\/\/127.0.0.1:1\/events last answered 0 fetch failed/,
    );
  });

  it("the probe of a stage that refuses types outside its catalog is refused, and by any other verdict fails", async () => {
    let code = "unknown_type";
    const server = createServer((_request, response) =>
      response.writeHead(422).end(JSON.stringify({ results: [{ status: "invalid", errors: [{ code }] }] })),
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const ask = () => probe({ ...runtime.addresses, url });

    expect(await ask()).toBe("refused");
    code = "schema_failed";
    await expect(ask()).rejects.toThrow(/refused a probe event: .*schema_failed/);

    server.close();
  });
});
