import { describe, expect, it } from "vitest";
import { createAnswerList } from "../../../functions/query/answer-list.ts";
import { createListLines } from "../../../functions/query/list-lines.ts";
import { memoryList, wholeList } from "./memory-list.ts";

const events = ['{"id":"1","data":{"n":1.50}}', '{"id":"2","data":{"n":12345678901234567890}}'];

type Changes = { limit?: number; select?: string[]; isPost?: boolean; of?: string[] };

function ask(accept: string | undefined, changes: Changes = {}) {
  const { list, clock } = memoryList(changes.of ?? events);
  const answerList = createAnswerList({
    list,
    listLines: createListLines({ list, clock: () => new Date(clock.now()) }),
  });
  const { limit, select, isPost = false } = changes;
  const linkTo = (cursor: string) => `?type=a&cursor=${cursor}`;
  return answerList({ ...wholeList(), headers: { accept }, limit, select, ...(!isPost && { linkTo }) });
}

describe("the format of a list", () => {
  it("a list is JSON where the request names no type", async () => {
    const { body, headers } = await ask(undefined);

    expect(body).toBe(
      `{"events":[${events.join(",")}],"next":null,"prev":null,"complete":true,"plan":"scan","scanned":{"rows":2}}`,
    );
    expect(headers).not.toHaveProperty("content-type");
  });

  it("a page of JSON has a hundred events where the request names no limit, and lines have all", async () => {
    const of = Array.from({ length: 1_200 }, (_, i) => `{"id":"${i}"}`);

    expect((JSON.parse((await ask(undefined, { of })).body) as { events: unknown[] }).events).toHaveLength(100);
    expect((await ask("application/x-ndjson", { of })).body.trimEnd().split("\n")).toHaveLength(1_201);
  });

  it("NDJSON has an event a line and the facts as the last one", async () => {
    const { body, headers } = await ask("application/x-ndjson", { limit: 1 });

    const [first, last, rest] = body.split("\n");
    expect(first).toBe(events[0]);
    expect(JSON.parse(last ?? "")).toEqual({
      next: expect.any(String),
      prev: null,
      complete: true,
      plan: "scan",
      scanned: { rows: 1 },
    });
    expect(rest).toBe("");
    expect(headers["content-type"]).toBe("application/x-ndjson");
  });

  it("CSV has the selected columns with every digit, and the next page in its headers", async () => {
    const { body, headers } = await ask("text/csv", { limit: 1, select: ["id", "data.n"] });

    expect(body).toBe("id,data.n\r\n1,1.50\r\n");
    expect(headers).toMatchObject({
      "content-type": "text/csv; charset=utf-8; header=present",
      link: `<?type=a&cursor=${headers["sluice-next"]}>; rel="next"`,
      "sluice-complete": "true",
    });
  });

  it("CSV of a body has no link, because a URL cannot have the body, but the cursor", async () => {
    const { headers } = await ask("text/csv", { limit: 1, isPost: true });

    expect(headers).not.toHaveProperty("link");
    expect(headers["sluice-next"]).toMatch(/^[\w-]+$/);
  });

  it("CSV at the end of a list names no next page", async () => {
    const { headers } = await ask("text/csv");

    expect(Object.keys(headers).toSorted()).toEqual(["content-type", "sluice-complete", "vary"]);
  });

  it("a type that no list has is refused before the database is asked", async () => {
    await expect(ask("application/pdf")).rejects.toMatchObject({
      code: "not_acceptable",
      message: "The answer has one of these types: application/json, application/x-ndjson, text/csv.",
    });
  });

  it("no cache gives an answer to another caller, or in another format", async () => {
    expect((await ask("text/csv")).headers["vary"]).toBe("accept, authorization, x-api-key, sluice-tenant");
  });
});
