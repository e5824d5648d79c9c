import { describe, expect, it } from "vitest";
import * as z from "zod";
import { toJsonSchema } from "../../../functions/core/data-schema.ts";
import { allowsMember } from "../../../lib/allows-member.ts";

const node: z.ZodType = z.object({
  name: z.string(),
  get children() {
    return z.array(node).optional();
  },
});

describe("a schema", () => {
  it.each<[string, z.ZodType, string, boolean]>([
    ["a member", z.object({ a: z.string() }), "a", true],
    ["another member", z.object({ a: z.string() }), "b", false],
    ["a member of a text", z.object({ a: z.string() }), "a/b", false],
    ["a member of a member", z.object({ a: z.object({ b: z.int() }) }), "a/b", true],
    ["a member of what may be missing or null", z.object({ a: z.object({ b: z.int() }).nullish() }), "a/b", true],
    ["an inherited name", z.object({ a: z.string() }), "constructor", false],
    ["a member of elements", z.object({ a: z.array(z.array(z.object({ b: z.int() }))) }), "a/b", true],
    ["an index", z.object({ a: z.array(z.object({ b: z.int() })) }), "a/0/b", false],
    ["a member of a tuple", z.object({ a: z.tuple([z.string(), z.object({ b: z.int() })]) }), "a/b", true],
    ["a member of one of several", z.union([z.string(), z.object({ a: z.string() })]), "a", true],
    ["a member of none of several", z.union([z.string(), z.object({ a: z.string() })]), "b", false],
    ["a member of both of two", z.intersection(z.object({ a: z.string() }), z.object({ b: z.string() })), "b", true],
    ["a member of a record", z.record(z.string(), z.object({ b: z.int() })), "any/b", true],
    ["another member of a record", z.record(z.string(), z.object({ b: z.int() })), "any/c", false],
    ["a member of a loose object", z.looseObject({ a: z.string() }), "b/c", true],
    ["a member of a strict object", z.strictObject({ a: z.string() }), "b", false],
    ["a member of anything", z.any(), "a/b", true],
    ["a member of an unknown member", z.object({ a: z.unknown() }), "a/b/c", true],
    ["a member of a word", z.object({ a: z.enum(["b"]) }), "a/b", false],
    ["a member of a schema in itself", z.object({ root: node }), "root/children/children/name", true],
    ["a missing member of a schema in itself", z.object({ root: node }), "root/children/children/none", false],
  ])("a schema tells whether it has %s", (_name, data, path, has) => {
    expect(allowsMember(toJsonSchema({ type: "t", data }), path.split("/"))).toBe(has);
  });
});
