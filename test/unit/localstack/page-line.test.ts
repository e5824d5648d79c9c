import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { pageLine } from "../../../localstack/page-line.ts";

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("the line about the operator's page", () => {
  it("the line has a link with a code that the key of the installation has made", async () => {
    const asked: unknown[] = [];
    const url = await serve(({ method, url: path, headers }, response) => {
      asked.push([method, path, headers.authorization]);
      response.writeHead(201).end('{"code":"sluice_code_1"}');
    });

    const line = await pageLine({ url, installationKey: "K" });

    expect(line).toContain(`${url}/console#/sign-in?code=sluice_code_1\n`);
    expect(asked).toEqual([["POST", "/console/codes", "Bearer K"]]);
  });

  it.each([
    ["refuses", 403, '{"code":"forbidden"}'],
    ["answers something else", 200, "<html>"],
  ])("there is no line where the API %s", async (_, status, body) => {
    const url = await serve((_request, response) => void response.writeHead(status).end(body));

    // The member `code` of a problem document is no code.
    expect(await pageLine({ url, installationKey: "K" })).toBe("");
  });

  it("there is no line where nothing answers", async () => {
    expect(await pageLine({ url: "http://127.0.0.1:9", installationKey: "K" })).toBe("");
  });
});
