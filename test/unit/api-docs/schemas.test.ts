import { describe, expect, it } from "vitest";
import * as z from "zod";
import { catalog } from "../../../functions/adapters/catalog/catalog.ts";
import type { Catalog } from "../../../functions/core/catalog.ts";
import { createSchemas } from "../../../functions/api-docs/schemas.ts";

const version = (number: number, data: z.ZodType) => ({ type: "a/b.made", dataschema: `urn:made:${number}`, data });
const versions = [
  version(1, z.object({ n: z.int32() })),
  version(2, z.object({ n: z.string().refine((text) => text !== "x"), at: z.date() })),
];
const two: Catalog = new Map([
  ["a/b.made", versions],
  ["other", [{ type: "other", dataschema: "urn:other", data: z.unknown() }]],
]);
const schemas = createSchemas({ catalog: two });

describe("the list of types", () => {
  it("has each type with its versions, oldest first, each with the way to its schema", () => {
    expect(schemas.types()).toEqual({
      types: [
        {
          type: "a/b.made",
          versions: [
            { dataschema: "urn:made:1", link: "schemas/a%2Fb.made?dataschema=urn%3Amade%3A1" },
            { dataschema: "urn:made:2", link: "schemas/a%2Fb.made?dataschema=urn%3Amade%3A2" },
          ],
        },
        { type: "other", versions: [{ dataschema: "urn:other", link: "schemas/other?dataschema=urn%3Aother" }] },
      ],
    });
  });
});

describe("the schema of a type", () => {
  it("is JSON Schema 2020-12 of the oldest version, where none is named", () => {
    expect(schemas.schema("a/b.made", undefined)).toEqual({
      $schema: "https://json-schema.org/draft/2020-12/schema",
      $id: "urn:made:1",
      title: "a/b.made",
      type: "object",
      properties: { n: { type: "integer", minimum: -(2 ** 31), maximum: 2 ** 31 - 1 } },
      required: ["n"],
    });
  });

  it("is that of the version that is named, without the checks JSON Schema cannot say", () => {
    expect(schemas.schema("a/b.made", "urn:made:2")).toMatchObject({
      $id: "urn:made:2",
      properties: { n: { type: "string" }, at: {} },
    });
  });

  it("lets a client send fields that it does not name, as ingest does", () => {
    expect(schemas.schema("a/b.made", undefined)).not.toHaveProperty("additionalProperties");
  });

  it("is there for each version of the catalog", () => {
    const all = createSchemas({ catalog });
    for (const { type, dataschema } of [...catalog.values()].flat()) {
      expect(all.schema(type, dataschema)).toMatchObject({ title: type, $id: dataschema });
    }
  });

  it("is refused for a type that is not in the catalog, naming those that are", () => {
    expect(() => schemas.schema("made", undefined)).toThrow(
      expect.objectContaining({
        code: "no_such_type",
        message: '"made" is not in the catalog, which has: a/b.made, other.',
        members: { types: ["a/b.made", "other"] },
      }),
    );
  });

  it("is refused for a version the type does not have, naming those it has", () => {
    expect(() => schemas.schema("a/b.made", "urn:made:3")).toThrow(
      expect.objectContaining({
        code: "no_such_version",
        members: { dataschemas: ["urn:made:1", "urn:made:2"] },
      }),
    );
  });
});
