import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, it } from "vitest";
import { problem, type SchemaName, schemas } from "../../../functions/core/answer.ts";
import { type ErrorCode, errorTable } from "../../../functions/core/errors.ts";
import { binaryModeHeaders, requests } from "../../../functions/api-docs/examples.ts";
import { openApi } from "../../../functions/api-docs/openapi.ts";
import { ingestRoutes } from "../../../functions/routes/ingest.ts";
import { ingestTo, memoryQueue } from "../ingest/support.ts";

type Content = Record<string, { schema: unknown; examples?: Record<string, { value: unknown }> }>;
type Response = { $ref?: string; headers?: Record<string, unknown>; content?: Content };

/** The document as a client reads it. */
const document = JSON.parse(JSON.stringify(openApi())) as {
  servers: { url: string }[];
  paths: Record<string, Record<string, { operationId: string; responses: Record<string, Response> }>>;
  components: { schemas: Record<string, unknown>; responses: Record<string, Response> };
};
const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
const responses = operations.flatMap(({ responses }) =>
  Object.entries(responses).map(([status, response]) => ({
    status: Number(status),
    response: document.components.responses[response.$ref?.split("/").at(-1) ?? ""] ?? response,
  })),
);
const examples = responses.flatMap(({ status, response }) =>
  Object.entries(response.content ?? {}).flatMap(([contentType, { schema, examples }]) =>
    Object.entries(examples ?? {}).map(([name, { value }]) => ({ status, contentType, schema, name, value })),
  ),
);

describe("the OpenAPI document", () => {
  it("is valid OpenAPI 3.1", async () => {
    const validator = new Validator();

    expect(await validator.validate(structuredClone(document))).toEqual({ valid: true });
    expect(validator.version).toBe("3.1");
  });

  it("names each operation once", () => {
    const names = operations.map(({ operationId }) => operationId);

    expect(names).toEqual([...new Set(names)]);
  });

  it("names its own folder as the server", () => {
    const url = new URL(document.servers[0]?.url ?? "", "https://example.com/dev/openapi.json");

    expect(url.href).toBe("https://example.com/dev/");
  });

  it("refers only to its own components", () => {
    for (const [, kind, name] of JSON.stringify(document).matchAll(/"\$ref":"#\/components\/(\w+)\/(\w+)"/g)) {
      const components = document.components as Record<string, Record<string, unknown>>;
      expect(components[kind ?? ""], `${kind}/${name}`).toHaveProperty(name ?? "");
    }
    expect(JSON.stringify(document)).not.toMatch(/"\$ref":"(?!#\/components\/)/);
  });

  it("has every error code under its status, except that of a missing route", () => {
    const codes = examples
      .filter(({ contentType }) => contentType === "application/problem+json")
      .map(({ name, status }) => [name, status]);

    expect(Object.fromEntries(codes)).toEqual(
      Object.fromEntries(
        Object.entries(errorTable)
          .filter(([code]) => code !== "no_such_route")
          .map(([code, { status }]) => [code, status]),
      ),
    );
  });

  it("gives the example attributes of binary mode in the headers' descriptions too", () => {
    for (const [name, value] of Object.entries(binaryModeHeaders))
      expect(ingestRoutes.sendEvents.headers).toHaveProperty(
        [name, "description"],
        expect.stringContaining(`\`${value}\``),
      );
  });

  it("has Retry-After for the statuses where sending again helps", () => {
    for (const { status, response } of responses) {
      expect(Object.keys(response.headers ?? {}), `${status}`).toEqual(
        [429, 502, 503, 504].includes(status) ? ["Retry-After"] : [],
      );
    }
  });
});

describe("its examples", () => {
  const headers = (contentType: string): Record<string, string> =>
    contentType === "*/*"
      ? { "content-type": "application/json", ...binaryModeHeaders }
      : { "content-type": contentType };
  const bodies = Object.entries(requests.sendEvents ?? {}).flatMap(([contentType, examples]) =>
    Object.entries(examples).map(([name, { value }]) => ({ contentType, name, value })),
  );

  it.each(bodies)(
    "of a $contentType request ($name) is accepted by ingest that refuses unknown types",
    async (body) => {
      const { queue } = memoryQueue();

      const answer = await ingestTo(queue, { unknownTypes: "refuse" })(body.value, headers(body.contentType));

      expect(answer).toMatchObject({ kind: "enqueued", rejected: 0 });
    },
  );

  it.each(examples)(
    "of a $status answer ($contentType, $name) is valid by its schema",
    ({ contentType, schema, value }) => {
      if (contentType === "application/problem+json") {
        const { code, status, title } = problem.parse(value);
        expect({ status, title }).toEqual(errorTable[code satisfies ErrorCode]);
        return;
      }
      const name = (schema as { $ref: string }).$ref.split("/").at(-1) as SchemaName;
      expect(schemas[name].parse(value)).toEqual(value);
    },
  );
});
