import { describe, expect, it } from "vitest";
import * as z from "zod";
import { toCatalog } from "../../../functions/core/catalog.ts";
import { ANSWER_MAX_BYTES, REQUEST_MAX_EVENTS } from "../../../functions/core/limits.ts";
import { toProblem } from "../../../functions/adapters/lambda/problem-documents.ts";
import { createIngest } from "../../../functions/ingest/ingest.ts";
import { NO_REFUSALS } from "../../../functions/ingest/refusals.ts";
import { createSendEvents } from "../../../functions/ingest/protocols/events/send-events.ts";
import { catalog } from "./catalog.ts";
import { memoryQueue, noLimits, NOW, numbering, order } from "./support.ts";
import { adminOf } from "../../support/principal.ts";

/** The answer to a body, errors included, as the HTTP chain gives it. */
async function answer(
  body: unknown,
  options: {
    refuse?: (index: number) => boolean;
    validate?: "only";
    status?: "whole";
    types?: typeof catalog;
    unknownTypes?: "refuse";
  } = {},
) {
  const { queue, enqueued } = memoryQueue((_message, index) => options.refuse?.(index) ?? false);
  const ingest = createIngest({
    queue,
    limiter: noLimits,
    refusals: NO_REFUSALS,
    numbering: numbering(),
    catalog: options.types ?? catalog,
    unknownTypes: options.unknownTypes ?? "accept",
    unknownVersions: "refuse",
    retention: "400d",
    onSchemaFailure: () => undefined,
    clock: () => new Date(NOW),
    newId: () => "generated",
  });
  const response = await createSendEvents(ingest)({
    method: "POST",
    path: "/events",
    headers: { "content-type": "application/json" },
    repeatedHeaders: [],
    parameters: {},
    query: { validate: options.validate, status: options.status },
    principal: adminOf("default"),
    body: Buffer.from(JSON.stringify(body)),
    inflated: true,
    requestId: "r-1",
    deadline: Date.now() + 10_000,
  }).catch((error: unknown) => toProblem(error, "r-1"));
  const metrics = "metrics" in response ? response.metrics : undefined;
  return { ...response, metrics, json: JSON.parse(response.body) as Record<string, unknown>, enqueued };
}

describe("the answer of POST /events", () => {
  it.each([
    ["202 when all were accepted", [order("a"), order("b")], 202, { accepted: 2, rejected: 0 }],
    ["202 when the rest are second copies", [order("a"), order("a")], 202, { accepted: 1, rejected: 0 }],
    ["207 when some were", [order("a"), {}], 207, { accepted: 1, rejected: 1 }],
    ["422 when none was valid", [{}, 7], 422, { accepted: 0, rejected: 2 }],
  ])("is %s", async (_name, body, status, counts) => {
    expect(await answer(body)).toMatchObject({ status, json: counts });
  });

  it("is 207 when the queue did not confirm some", async () => {
    const big = Array.from({ length: 8 }, (_, i) =>
      order(`e-${i}`, { data: { ...order("o").data, pad: "x".repeat(250_000) } }),
    );

    expect(await answer(big, { refuse: (index) => index === 1 })).toMatchObject({
      status: 207,
      json: { accepted: 4, rejected: 4 },
    });
  });

  it("is 503 with Retry-After and the verdicts when the queue confirmed none", async () => {
    expect(await answer([order("a"), {}], { refuse: () => true })).toMatchObject({
      status: 503,
      headers: { "retry-after": "5", "content-type": "application/problem+json" },
      json: {
        code: "queue_unavailable",
        results: [
          { index: 0, id: "a", status: "retry" },
          { index: 1, status: "invalid" },
        ],
      },
    });
  });

  it("counts events that share a key with other content", async () => {
    expect(await answer([order("a"), order("a", { subject: "other" }), {}])).toMatchObject({
      status: 207,
      metrics: { EventsAccepted: 1, EventsRejected: 2, EventsConflicting: 1 },
    });
  });

  describe("with ?status=whole", () => {
    const big = Array.from({ length: 8 }, (_, i) =>
      order(`e-${i}`, { data: { ...order("o").data, pad: "x".repeat(250_000) } }),
    );

    it("is 503 with Retry-After and the verdicts when the queue did not confirm some", async () => {
      const partly = await answer([...big, {}], { status: "whole", refuse: (index) => index === 1 });

      expect(partly).toMatchObject({
        status: 503,
        headers: { "retry-after": "5", "content-type": "application/problem+json" },
        json: { code: "not_all_enqueued", detail: expect.stringContaining("4 of 9 events are to be sent again") },
        metrics: { EventsAccepted: 4, EventsRejected: 5 },
      });
      expect((partly.json["results"] as { status: string }[]).map(({ status }) => status)).toEqual([
        ...Array.from({ length: 4 }, () => "accepted"),
        ...Array.from({ length: 4 }, () => "retry"),
        "invalid",
      ]);
    });

    it("is 503 when a schema of the catalog failed, because the event may be valid later", async () => {
      const data = z.unknown().refine(() => {
        throw new Error("a mistake");
      });
      const types = toCatalog([{ file: "catalog/t.ts", type: "t", data }]);

      const asked = await answer([order("a", { type: "other" }), order("b", { type: "t" })], {
        types,
        status: "whole",
      });

      expect(asked).toMatchObject({
        status: 503,
        json: { code: "not_all_enqueued", detail: expect.stringContaining("1 of 2 events are to be sent again") },
        metrics: { EventsAccepted: 1, EventsRejected: 1, EventsSchemaFailed: 1 },
      });
    });

    it.each([
      ["202 when all were accepted", [order("a"), order("b")], 202],
      ["202 when the others are invalid, which no repetition would change", [order("a"), {}], 202],
      ["422 when none was valid", [{}, 7], 422],
    ])("is %s", async (_name, body, status) => {
      expect(await answer(body, { status: "whole" })).toMatchObject({ status });
    });
  });

  it("stays below the size that Lambda can answer, however many events have errors", async () => {
    const items = Array.from({ length: 30 }, () => ({ sku: "", quantity: "\u0001".repeat(10), unitAmount: -1 }));
    const bad = Array.from({ length: 1_000 }, (_, i) => ({ ...order(`${i}-${"\\".repeat(400)}`), data: { items } }));

    const { status, body, json } = await answer(bad);

    expect(status).toBe(422);
    expect(Buffer.byteLength(body)).toBeLessThan(6_000_000);
    expect(json["results"]).toHaveLength(1_000);
  });

  it("stays below that size with messages that list a whole catalog", async () => {
    const name = (i: number) => `com.example.${"a-long-name.".repeat(20)}${i}`;
    const names = Array.from({ length: 300 }, (_, i) => name(i));
    const types = toCatalog([
      ...names.map((type) => ({ file: `catalog/${type}.ts`, type, data: z.string() })),
      { file: "catalog/t.ts", type: "t", data: z.enum(names) },
    ]);
    const bad = Array.from({ length: REQUEST_MAX_EVENTS }, (_, i) => ({
      ...order(`${i}`),
      type: i % 2 ? "t" : "none",
    }));

    const { status, body, json } = await answer(bad, { types, unknownTypes: "refuse" });

    expect(status).toBe(422);
    expect(Buffer.byteLength(body)).toBeLessThan(ANSWER_MAX_BYTES);
    expect(json["results"]).toHaveLength(REQUEST_MAX_EVENTS);
  });

  it("enqueues and counts nothing for ?validate=only", async () => {
    const { status, enqueued, metrics } = await answer([order("a"), {}], { validate: "only" });

    expect({ status, enqueued, metrics }).toEqual({ status: 207, enqueued: [], metrics: {} });
  });

  it("counts the events that were accepted unchecked, not those that were refused too", async () => {
    const typo = { ...order("a"), type: "com.example.order.plaecd" };

    const { json, metrics } = await answer([typo, order("b"), { ...typo, source: "" }, typo]);

    expect(json["results"]).toEqual([
      { index: 0, id: "a", status: "accepted", unchecked: true },
      { index: 1, id: "b", status: "accepted" },
      { index: 2, id: "a", status: "invalid", errors: [expect.objectContaining({ path: "/source" })] },
      { index: 3, id: "a", status: "duplicate", unchecked: true },
    ]);
    expect(metrics).toEqual({ EventsAccepted: 2, EventsRejected: 1, EventsUnchecked: 1 });
  });
});
