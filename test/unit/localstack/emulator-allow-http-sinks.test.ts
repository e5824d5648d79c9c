import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { allowHttpSinks } from "../../../localstack/emulator/allow-http-sinks.ts";

const NAME = "Sluice-dev-NotifyFunction1";
const BEFORE = { STAGE: "dev", QUEUE_URL: "http://127.0.0.1:4566/queue" };

/** Lambda's API with one function, which is being changed for two answers. */
const api = { variables: {} as Record<string, string>, changing: 0, refuses: false };
const server = createServer((request, response) => {
  void request.toArray().then((chunks) => {
    if (request.url === "/2015-03-31/functions") {
      return response.end(JSON.stringify({ Functions: [{ FunctionName: NAME }] }));
    }
    if (request.url !== `/2015-03-31/functions/${NAME}/configuration`)
      return response.writeHead(404).end("no such path");
    if (api.refuses && request.method === "PUT") return response.writeHead(409).end("ResourceConflictException");
    if (request.method === "PUT") {
      const body = JSON.parse(Buffer.concat(chunks as Buffer[]).toString()) as {
        Environment: { Variables: Record<string, string> };
      };
      api.variables = body.Environment.Variables;
      api.changing = 2;
    }
    const configuration = {
      Environment: { Variables: api.variables },
      LastUpdateStatus: api.changing > 0 ? "InProgress" : "Successful",
    };
    api.changing -= 1;
    return response.end(JSON.stringify(configuration));
  });
});
const session = (functionsHost = "127.0.0.1") => ({
  endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  database: { clusterArn: "", secretArn: "", databaseName: "", endpoint: `http://${functionsHost}:5000` },
});

beforeAll(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
beforeEach(() => Object.assign(api, { variables: BEFORE, changing: 0, refuses: false }));
afterAll(() => void server.close());

describe("sinks on this machine, for a stack in an emulator", () => {
  it("the function that delivers gets one more variable, and keeps the others", async () => {
    expect(await allowHttpSinks(session(), "Sluice-dev")).toBe(true);

    expect(api.variables).toEqual({ ...BEFORE, ALLOW_HTTP_SINKS: "true" });
  });

  it("the call ends when the function has been changed, and not before", async () => {
    await allowHttpSinks(session(), "Sluice-dev");

    expect(api.changing).toBeLessThan(0);
  });

  it("functions in containers are left as they are, because their 127.0.0.1 is another one", async () => {
    expect(await allowHttpSinks(session("host.docker.internal"), "Sluice-dev")).toBe(false);

    expect(api.variables).toEqual(BEFORE);
  });

  it("an emulator that refuses the change is named with its answer", async () => {
    api.refuses = true;

    await expect(allowHttpSinks(session(), "Sluice-dev")).rejects.toThrow(`${NAME}: 409 ResourceConflictException`);
  });

  it("a stack without that function is refused", async () => {
    await expect(allowHttpSinks(session(), "Sluice-prod")).rejects.toThrow("no notify function of Sluice-prod");
  });
});
