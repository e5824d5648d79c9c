import { describe, expect, it } from "vitest";
import * as z from "zod";
import { catalog } from "../../../functions/adapters/catalog/catalog.ts";
import type { Catalog, EventType } from "../../../functions/core/catalog.ts";
import { createApiDocs } from "../../../functions/api-docs/api-docs.ts";

const version = (number: number, data: z.ZodType): EventType => ({
  file: `catalog/type-${number}.ts`,
  type: "a/b.type",
  dataschema: `urn:type:${number}`,
  data,
});
const versions = [
  version(1, z.object({ n: z.int32() })),
  version(2, z.object({ n: z.string().refine((text) => text !== "x"), at: z.date() })),
];
const two: Catalog = new Map([
  ["a/b.type", versions],
  ["other", [{ file: "catalog/other.ts", type: "other", data: z.unknown() }]],
]);
const apiDocs = createApiDocs({ catalog: two });

describe("the list of types", () => {
  it("has each type with its versions, oldest first, each with a link to its schema", () => {
    expect(apiDocs.types()).toEqual({
      types: [
        {
          type: "a/b.type",
          versions: [
            { dataschema: "urn:type:1", link: "schemas/a%2Fb.type?dataschema=urn%3Atype%3A1" },
            { dataschema: "urn:type:2", link: "schemas/a%2Fb.type?dataschema=urn%3Atype%3A2" },
          ],
        },
        { type: "other", versions: [{ link: "schemas/other" }] },
      ],
    });
  });
});

describe("the schema of a type", () => {
  it("is JSON Schema 2020-12 of the oldest version, unless a version is named", () => {
    expect(apiDocs.schema("a/b.type", undefined)).toEqual({
      $schema: "https://json-schema.org/draft/2020-12/schema",
      $id: "urn:type:1",
      title: "a/b.type",
      type: "object",
      properties: { n: { type: "integer", minimum: -(2 ** 31), maximum: 2 ** 31 - 1 } },
      required: ["n"],
    });
  });

  it("is that of the named version, without the checks that JSON Schema cannot express", () => {
    expect(apiDocs.schema("a/b.type", "urn:type:2")).toMatchObject({
      $id: "urn:type:2",
      properties: { n: { type: "string" }, at: {} },
    });
  });

  it("allows unknown fields, as ingest does", () => {
    expect(apiDocs.schema("a/b.type", undefined)).not.toHaveProperty("additionalProperties");
  });

  it("exists for each version of the catalog", () => {
    const all = createApiDocs({ catalog });
    for (const { type, dataschema } of [...catalog.values()].flat()) {
      expect(all.schema(type, dataschema)).toMatchObject({ title: type, $id: dataschema });
    }
  });

  it("has no $id where the version has no dataschema", () => {
    expect(JSON.parse(JSON.stringify(apiDocs.schema("other", undefined)))).toEqual({
      $schema: "https://json-schema.org/draft/2020-12/schema",
      title: "other",
    });
  });

  it("is refused for a type that is not in the catalog, with the names of its types", () => {
    expect(() => apiDocs.schema("missing", undefined)).toThrow(
      expect.objectContaining({
        code: "no_such_type",
        message: '"missing" is not in the catalog, which has: a/b.type, other.',
        members: { types: ["a/b.type", "other"] },
      }),
    );
  });

  it("is refused for a missing version, with the names of the type's versions", () => {
    expect(() => apiDocs.schema("a/b.type", "urn:type:3")).toThrow(
      expect.objectContaining({
        code: "no_such_version",
        members: { dataschemas: ["urn:type:1", "urn:type:2"] },
      }),
    );
  });
});
