import { describe, expect, it } from "vitest";
import * as z from "zod";
import { toCatalog } from "../../../functions/core/catalog.ts";
import type { SchemaFailure } from "../../../functions/core/validate.ts";
import { ingestTo, memoryQueue, order } from "./support.ts";

const fail = (): never => {
  throw new TypeError("the schema has a fault");
};

/** Ingest with one type, whose schema is under test, beside the orders that the catalog does not know. */
function ingestWith(data: z.ZodType) {
  const { queue, events } = memoryQueue();
  const failures: SchemaFailure[] = [];
  const catalog = toCatalog([{ file: "catalog/bad.ts", type: "bad", data }]);
  const ingest = ingestTo(queue, { catalog, onSchemaFailure: (failure) => failures.push(failure) });
  return { ingest, failures, events };
}

const bad = (id: string, data: unknown = { n: "x" }) => ({ id, source: "/s", type: "bad", data });

const failed = (id: string, index: number) => ({
  index,
  id,
  status: "invalid",
  errors: [
    {
      path: "/data",
      code: "schema_failed",
      message:
        "could not be checked: the schema of bad failed, not the event. Send it again once the schema is repaired",
    },
  ],
});

describe("a schema of the catalog that throws", () => {
  it.each<[string, z.ZodType]>([
    ["a refinement", z.object({ n: z.string().refine(fail) })],
    ["a refinement of the whole", z.looseObject({}).refine(fail)],
    ["a super-refinement", z.object({ n: z.string().superRefine(fail) })],
    ["a transform", z.object({ n: z.string().transform(fail) })],
    ["a preprocess", z.object({ n: z.preprocess(fail, z.string()) })],
    ["a lazy schema", z.object({ n: z.lazy(fail) })],
    ["a custom schema", z.object({ n: z.custom(fail) })],
    ["a member of a union", z.union([z.object({ n: z.string().refine(fail) }), z.string()])],
    ["the text of an issue", z.object({ n: z.int({ error: fail }) })],
    ["a check that answers later", z.object({ n: z.string().refine(() => Promise.resolve(true)) })],
  ])("a schema that throws makes its event invalid and blames the schema: %s", async (_name, schema) => {
    const { ingest, failures, events } = ingestWith(schema);

    const answer = await ingest([order("a"), bad("b"), order("c")]);

    expect(answer.results).toMatchObject([{ status: "accepted" }, failed("b", 1), { status: "accepted" }]);
    expect(answer.kind).toBe("partly");
    expect(events().map(({ id }) => id)).toEqual(["a", "c"]);
    expect(failures).toEqual([{ file: "catalog/bad.ts", error: expect.any(Error) }]);
  });

  it("a schema that throws is reported once in a request, however many events it fails on", async () => {
    const { ingest, failures } = ingestWith(z.object({ n: z.string().refine((text) => text !== "x" || fail()) }));

    const answer = await ingest([bad("a"), bad("b"), bad("c", { n: "y" })]);

    expect(answer.results).toMatchObject([failed("a", 0), failed("b", 1), { status: "accepted" }]);
    expect(failures).toHaveLength(1);
  });

  it.each([
    ["a CloudEvent", "application/cloudevents+json", { specversion: "1.0", ...bad("a") }],
    ["a batch", "application/cloudevents-batch+json", [{ specversion: "1.0", ...bad("a") }]],
    ["NDJSON", "application/x-ndjson", `${JSON.stringify(bad("a"))}\n`],
  ])("a schema that throws makes an event invalid in every format: %s", async (_name, contentType, body) => {
    const { ingest } = ingestWith(z.unknown().refine(fail));

    // Verdicts of NDJSON have the number of the line.
    const line = contentType === "application/x-ndjson" ? { line: 1 } : {};
    expect((await ingest(body, { "content-type": contentType })).results).toEqual([{ ...failed("a", 0), ...line }]);
  });

  it("a schema that throws makes an event in binary mode invalid, also where it is only validated", async () => {
    const { ingest, failures } = ingestWith(z.unknown().refine(fail));
    const headers = {
      "content-type": "application/json",
      "ce-specversion": "1.0",
      "ce-id": "a",
      "ce-source": "/s",
      "ce-type": "bad",
    };

    expect((await ingest({ n: 1 }, headers, { validateOnly: true })).results).toEqual([failed("a", 0)]);
    expect(failures).toHaveLength(1);
  });
});
