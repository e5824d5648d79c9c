import { describe, expect, it, vi } from "vitest";
import { ANSWER_RESERVE_MS } from "../../../functions/core/function-limits.ts";
import { ID_MAX_BYTES, SOURCE_MAX_BYTES } from "../../../functions/core/limits.ts";
import { createQueryEndpoints } from "../../../functions/query/endpoints.ts";
import type { QueryRequest } from "../../../functions/query/query.ts";
import { adminOf } from "../../support/principal.ts";
import { queryRoutes } from "../../../functions/routes/query.ts";

const request = {
  method: "GET",
  path: "/events/e-1",
  headers: {},
  repeatedHeaders: [],
  parameters: { id: "e-1" },
  query: { source: "/s" },
  principal: adminOf("t"),
  body: Buffer.alloc(0),
  inflated: true,
  requestId: "r-1",
  deadline: 20_000,
};

describe("GET /events/{id}", () => {
  it("reads the event of the caller's tenant, with time left for the answer", async () => {
    const query = vi.fn<(request: QueryRequest) => Promise<string>>().mockResolvedValue('{"id":"e-1"}');

    const response = await createQueryEndpoints(query).readEvent(request);

    expect(response).toEqual({ status: 200, body: '{"id":"e-1"}' });
    expect(query).toHaveBeenCalledExactlyOnceWith({
      principal: adminOf("t"),
      id: "e-1",
      source: "/s",
      deadline: 20_000 - ANSWER_RESERVE_MS,
    });
  });

  it.each([
    ["id", queryRoutes.readEvent.parameters.id, ID_MAX_BYTES],
    ["source", queryRoutes.readEvent.query.source, SOURCE_MAX_BYTES],
  ])("accepts as %s only text that a stored event can have", (_name, schema, maxBytes) => {
    const accepts = (value: string) => schema.safeParse(value).success;

    expect(["x", "größe %/", "é".repeat(maxBytes / 2)].map(accepts)).toEqual([true, true, true]);
    expect(["", "x".repeat(maxBytes + 1), `${"é".repeat(maxBytes / 2)}x`, "a\u0000", "\ud800"].map(accepts)).toEqual([
      false,
      false,
      false,
      false,
      false,
    ]);
  });

  it("says what a value may be", () => {
    const { error } = queryRoutes.readEvent.parameters.id.safeParse("");

    expect(error?.issues[0]?.message).toBe("is empty, longer than 512 bytes, or no text that can be stored");
  });

  it("needs no source", () => {
    expect(queryRoutes.readEvent.query.source.safeParse(undefined)).toEqual({ success: true, data: undefined });
  });
});

describe("GET /health", () => {
  it("answers without asking the database", async () => {
    const query = vi.fn<(request: QueryRequest) => Promise<string>>();

    const response = await createQueryEndpoints(query).health({
      ...request,
      principal: undefined,
      parameters: {},
      query: {},
    });

    expect(response).toEqual({ status: 200, body: '{"status":"ok"}' });
    expect(query).not.toHaveBeenCalled();
  });
});
