import type { APIGatewayProxyEvent, Context } from "aws-lambda";
import * as fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { createDirect } from "../../../functions/access/direct.ts";
import { httpOrDirect } from "../../../functions/adapters/lambda/http-or-direct.ts";
import { parseKey } from "../../../functions/core/key.ts";
import { accessUnderTest } from "./access-under-test.ts";
import { noteObservability } from "../../support/observability.ts";

describe("a direct invocation", () => {
  it("makes an admin key of the installation, which is in the audit log as made by the deployer", async () => {
    const access = accessUnderTest();

    const made = await createDirect(access)({ createInstallationKey: { name: "first", expires: "15m" } }, "r-7");

    expect(made).toMatchObject({ tenant: "*", role: "admin", name: "first", createdBy: "deployer" });
    expect(made.expiresAt).toBe("2026-11-29T10:15:00.000Z");
    expect(parseKey(made.key)).toEqual({ id: made.id });
    expect(await access.entries("*")).toMatchObject([
      { who: "deployer", action: "key.create", target: made.id, requestId: "r-7" },
    ]);
    expect((await access.store.listTenants({ after: undefined, limit: 10 })).items).toEqual([]);
  });

  it("needs neither a name nor an end", async () => {
    const made = await createDirect(accessUnderTest())({ createInstallationKey: {} }, "r-7");

    expect([made.name, made.expiresAt]).toEqual([undefined, undefined]);
  });

  it.each([
    {},
    null,
    "createInstallationKey",
    [],
    { createInstallationKey: null },
    { createInstallationKey: { role: "admin" } },
    { createInstallationKey: { name: "" } },
    { createInstallationKey: {}, tenant: "acme" },
    { createKey: {} },
    { version: "0", source: "aws.events", detail: {} },
  ])("of %j fails and says what one looks like, without a change", async (event) => {
    const access = accessUnderTest();

    await expect(createDirect(access)(event, "r-7")).rejects.toThrow('The event is not {"createInstallationKey":');
    expect(await access.changes("*")).toEqual([]);
  });
});

describe("a function for HTTP requests and direct invocations", () => {
  function underTest() {
    const { observability, lines } = noteObservability();
    const http = vi.fn<(event: APIGatewayProxyEvent) => Promise<string>>().mockResolvedValue("http");
    const direct = vi.fn<(event: unknown, requestId: string) => Promise<{ id: string; key: string }>>();
    direct.mockResolvedValue({ id: "4fQ0v7xYbN2k", key: "sluice_secret" });
    const handler = httpOrDirect({
      http,
      direct,
      observability,
    });
    const context = { awsRequestId: "r-1" } as Context;
    return { lines, http, direct, invoke: async (event: unknown) => handler(event, context) };
  }

  it("passes every event of API Gateway to the HTTP chain, whatever the client put into it", async () => {
    const hostile = fc.oneof(
      fc.string(),
      fc.constantFrom('{"createInstallationKey":{}}', "createInstallationKey", "__proto__", "requestContext"),
    );
    const headers = fc.dictionary(hostile, hostile, { maxKeys: 4 });
    await fc.assert(
      fc.asyncProperty(hostile, hostile, headers, headers, async (body, path, names, query) => {
        const { invoke, http, direct } = underTest();
        const event = {
          resource: "/keys",
          path,
          httpMethod: "POST",
          headers: names,
          multiValueHeaders: names,
          queryStringParameters: query,
          multiValueQueryStringParameters: query,
          pathParameters: { id: path },
          stageVariables: null,
          requestContext: { requestId: "r-1" },
          body,
          isBase64Encoded: false,
        };

        expect(await invoke(event)).toBe("http");
        expect(http).toHaveBeenCalledOnce();
        expect(direct).not.toHaveBeenCalled();
      }),
    );
  });

  it("answers another event directly, and logs the id of the key but never the key", async () => {
    const { invoke, http, lines, direct } = underTest();
    const event = { createInstallationKey: {} };

    expect(await invoke(event)).toEqual({ id: "4fQ0v7xYbN2k", key: "sluice_secret" });

    expect(direct).toHaveBeenCalledExactlyOnceWith(event, "r-1");
    expect(http).not.toHaveBeenCalled();
    expect(lines).toEqual([["info", "task", { keyId: "4fQ0v7xYbN2k", durationMs: expect.any(Number) }]]);
  });

  it.each([null, "text", 5, [], {}])("hands %j to the direct invocation, which refuses it", async (event) => {
    const { invoke, direct } = underTest();
    direct.mockRejectedValue(new Error("The event is not"));

    await expect(invoke(event)).rejects.toThrow("The event is not");
  });
});
