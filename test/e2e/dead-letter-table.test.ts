import { randomUUID } from "node:crypto";
import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { openTarget, type Target } from "./test-stack.ts";

let target: Target;
beforeAll(async () => {
  target = await openTarget({ own: true });
});
afterAll(() => target?.close());

type Row = { id: string; eventId: string | null; tenant: string | null; reason: string; message: string };
/** The members of any answer that a test reads. */
type Answer = { deadLetters: Row[]; id: string; body: string };

const ask = async (path: string, key = target.apiKey) => {
  const { status, text } = await target.call(path, { headers: { authorization: `Bearer ${key}` } });
  return { status, body: JSON.parse(text) as Answer };
};
const listed = (query: string, count: number, key?: string) =>
  eventually(
    () => ask(`/dead-letters?${query}`, key),
    ({ body }) => body.deadLetters?.length === count,
    60_000,
  );

describe("an event that the database refuses", () => {
  it("is found in the list, in its group, by its id, and where somebody asks for the event", async () => {
    const source = `${target.source}/${randomUUID()}`;
    const mark = randomUUID();
    const accept = await target.refuse(mark, "22P05");
    const refused = [1, 2].map((n) => ({ id: `refused-${n}`, source, type: "com.example.e2e", data: { mark, n } }));

    await target.call("/events", {
      method: "POST",
      headers: { authorization: `Bearer ${target.apiKey}`, "content-type": "application/json" },
      body: JSON.stringify(refused),
    });
    const { body } = await listed(`source=${encodeURIComponent(source)}`, 2);

    const row = body.deadLetters.find(({ eventId }) => eventId === "refused-1");
    expect(row).toMatchObject({
      reason: "not_storable",
      sqlState: "22P05",
      message: expect.stringContaining("refused by a test"),
      type: "com.example.e2e",
      source,
      state: "open",
      replays: 0,
    });
    const filtered = await ask(`/dead-letters?source=${encodeURIComponent(source)}&data.n[gt]=1`);
    expect(filtered.body.deadLetters.map(({ eventId }) => eventId)).toEqual(["refused-2"]);
    const groups = await ask(`/dead-letters/groups?source=${encodeURIComponent(source)}`);
    expect(groups.body).toMatchObject({
      groups: [{ reason: "not_storable", count: 2, share: 1, types: ["com.example.e2e"] }],
    });
    const whole = await ask(`/dead-letters/${row?.id}`);
    expect(whole.body).toMatchObject({ id: row?.id, isEvent: true, history: [] });
    expect(JSON.parse(whole.body.body)).toMatchObject({
      version: 1,
      events: [{ id: "refused-1", data: { mark, n: 1 } }],
    });
    const read = await ask(`/events/refused-1?source=${encodeURIComponent(source)}`);
    expect(read).toMatchObject({
      status: 404,
      body: { code: "dead_lettered", reason: "not_storable", deadLetter: row?.id },
    });
    await accept();
  });

  it("is found by the key of the installation that names no tenant, as is a message of nobody", async () => {
    const body = `no envelope ${randomUUID()}`;
    await target.sqs.send(new SendMessageCommand({ QueueUrl: target.queueUrl, MessageBody: body }));

    const found = await eventually(
      async () => {
        const { body: page } = await ask("/dead-letters?reason=unreadable_message&limit=1000", target.installationKey);
        const wholes = await Promise.all(
          page.deadLetters.map(({ id }) => ask(`/dead-letters/${id}`, target.installationKey)),
        );
        return wholes.find((whole) => whole.body.body === body);
      },
      (whole) => whole !== undefined,
      60_000,
    );

    expect(found?.body).toMatchObject({ tenant: null, eventId: null, isEvent: false });
    expect(await ask(`/dead-letters/${found?.body.id}`)).toMatchObject({
      status: 404,
      body: { code: "no_such_dead_letter" },
    });
  });
});
