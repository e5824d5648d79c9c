import { describe, expect, it } from "vitest";
import { LIST_BODY_MAX_BYTES, LIST_MAX_EVENTS } from "../../../functions/core/list-limits.ts";
import { parseLossless } from "../../../functions/core/lossless-json.ts";
import { fromBody, fromParameters } from "../../../functions/query/list-request.ts";
import { queryRoutes } from "../../../functions/routes/query.ts";

const nothing = { type: [], source: [], subject: [], id: [], data: [] };
const body = (value: unknown) => ({
  headers: { "content-type": "application/json" },
  body: Buffer.from(typeof value === "string" ? value : JSON.stringify(value)),
});
const ofNothing = {
  filter: undefined,
  received: { from: undefined, to: undefined },
  produced: { from: undefined, to: undefined },
  order: "-receivedAt",
  limit: undefined,
  cursor: undefined,
  select: undefined,
  count: "none",
};

describe("a request for a list", () => {
  it("a request for a list that says nothing asks for the newest events, whole and uncounted, as many as its format has", () => {
    expect(fromParameters(nothing)).toEqual(ofNothing);
    expect(fromBody(body({}))).toEqual(ofNothing);
  });

  it("a request for a list by parameters asks for the same as one by a filter", () => {
    const settings = {
      from: "2026-11-21T10:30:00+01:00",
      to: "2026-11-22t00:00:00.0000001z",
      timeFrom: "2026-11-21T09:30:00Z",
      order: "receivedAt",
      limit: 7,
      cursor: "x",
      count: "exact",
    } as const;
    const asked = fromParameters({
      ...nothing,
      ...settings,
      type: ["com.example.*"],
      source: ["/a", "/b"],
      data: [["data.n[gt]", "12345678901234567890"]],
      select: "id,data.n",
    });

    expect(asked).toMatchObject({
      received: { from: "2026-11-21T09:30:00.000000Z", to: "2026-11-22T00:00:00.000001Z" },
      produced: { from: "2026-11-21T09:30:00.000000Z", to: undefined },
      order: "receivedAt",
      limit: 7,
      cursor: "x",
      count: "exact",
    });
    const filter = JSON.stringify(asked.filter);
    expect(filter).toContain("12345678901234567890");
    expect(
      fromBody(body(`{"filter":${filter},${JSON.stringify({ ...settings, select: ["id", "data.n"] }).slice(1)}`)),
    ).toEqual(asked);
  });

  it("a request for a list keeps the digits of the numbers in its filter", () => {
    const { filter } = fromBody(body('{"filter":{"data":{"n":[12345678901234567890]}}}'));

    expect(filter).toEqual(parseLossless('{"data":{"n":[12345678901234567890]}}').lossless);
  });

  it.each([
    ["an unknown member", { filters: {} }, "malformed_body", "unknown member filters"],
    ["no object", [], "malformed_body", "expected object"],
    ["a limit of 0", { limit: 0 }, "malformed_body", "limit:"],
    ["a limit over the most", { limit: LIST_MAX_EVENTS + 1 }, "malformed_body", "limit:"],
    ["a limit that is no number", { limit: "5" }, "malformed_body", "limit:"],
    ["a time that is none", { from: "yesterday" }, "malformed_body", "from: is no instant of RFC 3339"],
    ["an unknown order", { order: "time" }, "malformed_body", "order:"],
    [
      "a range that is empty",
      { from: "2026-01-01T00:00:00Z", to: "2026-01-01T00:00:00Z" },
      "malformed_body",
      "from is not before to",
    ],
    ["an empty select", { select: [] }, "malformed_body", "select:"],
    ["a path that is none", { select: ["a..b"] }, "malformed_body", "select has the path"],
    ["an unknown dialect", { filter: { like: {} } }, "bad_filter", "/like is no dialect"],
    ["a filter that is null", { filter: null }, "bad_filter", "must be an object"],
    ["deep nesting", `{"filter":${"[".repeat(2_000)}${"]".repeat(2_000)}}`, "malformed_body", "nested too deep"],
    ["a body over the limit", " ".repeat(LIST_BODY_MAX_BYTES + 1), "body_too_large", String(LIST_BODY_MAX_BYTES)],
  ])("a request for a list is refused for %s, with the place", (_what, value, code, message) => {
    expect(() => fromBody(body(value))).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });

  it.each([
    [
      "a range that is empty",
      { timeFrom: "2026-01-02T00:00:00Z", timeTo: "2026-01-01T00:00:00Z" },
      "timeFrom is not before timeTo",
    ],
    ["a path that is none", { select: "id,,type" }, "select has the path"],
    ["an operator that is none", { data: [["data.n[like]", "1"]] as const }, "data.n[like]"],
    ["a star in the middle", { type: ["a*b"] }, "type has a *"],
  ])("the parameters of a list are refused for %s, with the name", (_what, given, message) => {
    expect(() => fromParameters({ ...nothing, ...given })).toThrow(
      expect.objectContaining({
        code: "bad_parameter",
        message: expect.stringContaining(message),
        members: { parameter: message.split(" ")[0] },
      }),
    );
  });

  it.each([
    ["from", "2026-11-21T10:30:00 01:00", false],
    ["from", "2026-11-21T10:30:00+01:00", true],
    ["to", "2026-02-30T00:00:00Z", false],
    ["order", "-receivedAt", true],
    ["order", "+receivedAt", false],
    ["limit", "0", false],
    ["limit", "1", true],
    ["limit", String(LIST_MAX_EVENTS), true],
    ["limit", String(LIST_MAX_EVENTS + 1), false],
    ["limit", "1e2", false],
    ["count", "exact", true],
    ["count", "all", false],
    ["cursor", "", false],
    ["select", "", false],
  ] as const)("the parameter %s=%s is taken or refused: %s", (name, value, isTaken) => {
    expect(queryRoutes.listEvents.query[name].safeParse(value).success).toBe(isTaken);
  });
});
