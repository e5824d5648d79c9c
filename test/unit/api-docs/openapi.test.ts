import { Validator } from "@seriousme/openapi-schema-validator";
import * as z from "zod";
import { describe, expect, it } from "vitest";
import { problem, type SchemaName, schemas } from "../../../functions/core/answer.ts";
import { type ErrorCode, errorTable } from "../../../functions/core/errors.ts";
import { binaryModeHeaders } from "../../../functions/api-docs/event-examples.ts";
import { requests } from "../../../functions/api-docs/examples.ts";
import { openApi } from "../../../functions/api-docs/openapi.ts";
import { ingestRoutes } from "../../../functions/routes/ingest.ts";
import type { Route } from "../../../functions/routes/route.ts";
import { routes } from "../../../functions/routes/routes.ts";
import { createApiDocs } from "../../../functions/api-docs/api-docs.ts";
import { type EventType, toCatalog } from "../../../functions/core/catalog.ts";
import { ingestTo, memoryQueue } from "../ingest/support.ts";
import { newKey, rotation, tenantChanges } from "../../../functions/core/access-bodies.ts";

type Content = Record<string, { schema: unknown; examples?: Record<string, { value: unknown }> }>;
type Response = { $ref?: string; headers?: Record<string, unknown>; content?: Content };

type Operation = {
  operationId: string;
  parameters?: { name: string; schema: unknown }[];
  responses: Record<string, Response>;
};

/** The document as a client reads it. */
const document = JSON.parse(JSON.stringify(openApi())) as {
  servers: { url: string }[];
  paths: Record<string, Record<string, Operation>>;
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

  it("has every error code under its status, except that of a method that no operation has", () => {
    const codes = examples
      .filter(({ contentType }) => contentType === "application/problem+json")
      .map(({ name, status }) => [name, status]);

    expect(Object.fromEntries(codes)).toEqual(
      Object.fromEntries(
        Object.entries(errorTable)
          .filter(([code]) => code !== "method_not_allowed")
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

  it("says of each parameter that is refused when it is empty that it is not", () => {
    const parameters = Object.values(routes).flatMap((ofFunction) =>
      Object.values<Route>(ofFunction).flatMap(({ method, path, parameters, query }) =>
        Object.entries({ ...parameters, ...query }).map(([name, schema]) => ({ method, path, name, schema })),
      ),
    );
    const refused = parameters.filter(({ schema }) => !schema.safeParse("").success);
    expect(refused.length).toBeGreaterThan(3);
    for (const { method, path, name } of refused) {
      const described = document.paths[path]?.[method.toLowerCase()]?.parameters?.find((each) => each.name === name);
      expect(described?.schema, `${path} ${name}`).toEqual(
        expect.toSatisfy(
          (schema) =>
            "minLength" in Object(schema) ||
            "enum" in Object(schema) ||
            ("pattern" in Object(schema) && !new RegExp(Object(schema).pattern as string).test("")),
        ),
      );
    }
  });

  it("lists 403 for every operation, which API Gateway answers for a path that is not encoded, or for a WAF", () => {
    for (const { operationId, responses } of operations) expect(Object.keys(responses), operationId).toContain("403");
  });

  it("has Retry-After for the statuses where sending again helps", () => {
    for (const { status, response } of responses) {
      expect(Object.keys(response.headers ?? {}), `${status}`).toEqual(
        [429, 502, 503, 504].includes(status) ? ["Retry-After"] : [],
      );
    }
  });
});

describe("the OpenAPI document of a catalog", () => {
  const recursive: z.ZodType = z.lazy(() => z.object({ name: z.string(), parts: z.array(recursive) }));
  const version = (type: string, number: number, data: z.ZodType): EventType => ({
    file: `catalog/${number}.ts`,
    type,
    dataschema: `urn:${type}:${number}`,
    data,
  });
  const catalog = toCatalog([
    version("com.mine.part", 1, recursive),
    version("com.mine.part", 2, z.object({ n: z.int() })),
    version("a/b|c", 1, z.object({ ref: z.string() })),
  ]);
  const served = JSON.parse(JSON.stringify(openApi(createApiDocs({ catalog })))) as typeof document & {
    tags: { name: string; description?: string }[];
  };

  it("has a component for the data of each version, whose references are those of the document", async () => {
    expect(served.components.schemas).toMatchObject({
      "data.com.mine.part": { title: "com.mine.part" },
      "data.com.mine.part.2": { title: "com.mine.part", required: ["n"] },
      "data.a_b_c": { title: "a/b|c", required: ["ref"] },
    });
    const refs = [...JSON.stringify(served.components.schemas["data.com.mine.part"]).matchAll(/"\$ref":"([^"]+)"/g)];
    expect(refs.length).toBeGreaterThan(0);
    for (const [, ref = ""] of refs) {
      const target = ref
        .slice("#/".length)
        .split("/")
        .reduce<unknown>((node, key) => Object(node)[key], served);
      expect(target, ref).toBeTypeOf("object");
    }
    expect(await new Validator().validate(structuredClone(served))).toEqual({ valid: true });
  });

  it("lists the types with links to their schemas where events are described", () => {
    const description = served.tags.find(({ name }) => name === "events")?.description ?? "";

    expect(description).toContain(
      "- `com.mine.part`: [urn:com.mine.part:2](schemas/com.mine.part?dataschema=urn%3Acom.mine.part%3A2)\n",
    );
    expect(description).toContain("- `a/b|c`: ");
  });

  it("is otherwise the document in docs/", () => {
    const { schemas } = served.components;
    const ours = Object.fromEntries(Object.entries(schemas).filter(([name]) => !name.startsWith("data.")));

    expect({ ...served, tags: [], components: { ...served.components, schemas: ours } }).toEqual({
      ...document,
      tags: [],
    });
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

  it.each([
    ["createKey", newKey],
    ["rotateKey", rotation],
    ["putTenant", tenantChanges],
  ] as const)("of a request of %s is valid by the schema of its body", (operation, schema) => {
    const bodies = Object.values(requests[operation]?.["application/json"] ?? {});

    expect(bodies.length).toBeGreaterThan(0);
    for (const { value } of bodies) expect(z.safeParse(schema, value)).toEqual({ success: true, data: value });
  });

  it.each(examples)(
    "of a $status answer ($contentType, $name) is valid by its schema",
    ({ contentType, schema, value }) => {
      if (contentType === "application/problem+json") {
        const { code, status, title } = problem.parse(value);
        expect({ status, title }).toEqual(errorTable[code satisfies ErrorCode]);
        return;
      }
      const name = (schema as { $ref: string }).$ref.split("/").at(-1) as SchemaName;
      expect(z.parse(schemas[name], value)).toEqual(value);
    },
  );
});
