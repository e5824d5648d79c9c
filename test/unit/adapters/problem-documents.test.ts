import { describe, expect, it } from "vitest";
import { toProblem } from "../../../functions/adapters/lambda/problem-documents.ts";
import { AccessError } from "../../../functions/core/access.ts";
import { RequestError, DatabaseError } from "../../../functions/core/errors.ts";

describe("problem documents", () => {
  it("carry the code, the status, the advice and the request's id", () => {
    const problem = toProblem(
      new RequestError("queue_unavailable", "Send it again.", { members: { results: [] } }),
      "r-1",
    );

    expect(problem).toMatchObject({
      status: 503,
      headers: { "content-type": "application/problem+json", "retry-after": "5" },
    });
    expect(JSON.parse(problem.body)).toEqual({
      title: "The queue confirmed no event, send the request again",
      status: 503,
      detail: "Send it again.",
      code: "queue_unavailable",
      requestId: "r-1",
      results: [],
    });
  });

  it.each([
    new Error("secret inner text"),
    new DatabaseError({ disposition: "stop", reason: "access_denied", detail: "secret inner text" }),
    new DatabaseError({ disposition: "retry", reason: "database_unavailable", detail: "secret inner text" }),
    new AccessError("secret inner text"),
    "secret inner text",
  ])("never carry an inner error's message", (error) => {
    const problem = toProblem(error, "r-1");

    expect(problem.status).toBeGreaterThanOrEqual(500);
    expect(problem.body).not.toContain("secret");
  });

  it.each(["retry", "stop"] as const)("have Retry-After during an outage of the database (%s)", (disposition) => {
    const problem = toProblem(new DatabaseError({ disposition, reason: "any", detail: "" }), "r-1");

    expect(problem).toMatchObject({ status: 503, headers: { "retry-after": "5" } });
    expect(JSON.parse(problem.body)).toMatchObject({ code: "database_unavailable" });
  });

  it("have Retry-After during an outage of the tables of keys", () => {
    const problem = toProblem(new AccessError("no answer"), "r-1");

    expect(problem).toMatchObject({ status: 503, headers: { "retry-after": "5" } });
    expect(JSON.parse(problem.body)).toMatchObject({ code: "access_unavailable" });
  });
});
