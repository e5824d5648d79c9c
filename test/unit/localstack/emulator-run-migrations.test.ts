import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runMigrations } from "../../../localstack/emulator/run-migrations.ts";

/** The answer of the migrate function, and whether it is an error of the function. */
let answer = { body: "", isError: false };
/** Lambda's API with two functions. */
const server = createServer((request, response) => {
  if (request.method === "GET") {
    const names = ["Sluice-dev-IngestFunction1", "Sluice-dev-MigrateFunction2"];
    return response.end(JSON.stringify({ Functions: names.map((FunctionName) => ({ FunctionName })) }));
  }
  if (request.url !== "/2015-03-31/functions/Sluice-dev-MigrateFunction2/invocations")
    return response.writeHead(404).end();
  return response.writeHead(200, answer.isError ? { "x-amz-function-error": "Unhandled" } : {}).end(answer.body);
});
const endpoint = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

beforeAll(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
afterAll(() => void server.close());

describe("the migrations of a deployed stack", () => {
  it("the migrations of a deployed stack are run by its migrate function, which names those that it applied", async () => {
    answer = { body: '{"applied":["0001_events.sql"],"partitionsMade":0}', isError: false };

    expect(await runMigrations(endpoint(), "Sluice-dev")).toEqual(["0001_events.sql"]);
  });

  it("the migrations of a deployed stack fail with the function's own message", async () => {
    answer = { body: '{"errorMessage":"0002: no such table"}', isError: true };

    await expect(runMigrations(endpoint(), "Sluice-dev")).rejects.toThrow("0002: no such table");
  });

  it("the migrations of a stack that is not there are refused", async () => {
    await expect(runMigrations(endpoint(), "Sluice-prod")).rejects.toThrow("no migrate function of Sluice-prod");
  });
});
