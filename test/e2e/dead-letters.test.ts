import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { get, post } from "../support/http.ts";
import { openTarget, type Target } from "./test-stack.ts";

let target: Target;
let folder: string;
beforeAll(async () => {
  [target, folder] = await Promise.all([openTarget({ own: true }), mkdtemp(join(tmpdir(), "sluice-dead-letters-"))]);
});
afterAll(async () => {
  await target?.close();
  await rm(folder, { recursive: true, force: true });
});

/** A source of a test's own, by which the commands leave the dead letters of other tests alone. */
const newSource = () => `${target.source}/${randomUUID()}`;
const event = (source: string, id: string, data: unknown = {}) => ({ id, source, type: "com.example.e2e", data });
const isStored = (source: string, id: string) =>
  eventually(
    () => get(`${target.url}/events/${id}?source=${encodeURIComponent(source)}`),
    ({ status }) => status === 200,
  );

type Listed = { id: string; reason: string; sqlState: string; replays: number; attempts: number; tenant: string };
async function list(source: string): Promise<Listed[]> {
  const { stdout } = await target.run("dead-letters", "list", "--json", "--source", source);
  return stdout.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Listed]));
}

const arrived = (source: string, count: number, replays = 0) =>
  eventually(
    () => list(source),
    (rows) => rows.length === count && rows.every((row) => row.replays === replays),
  );

describe("an event that the database refuses", () => {
  it("is dead-lettered alone, with its reason, and is stored by a replay once the cause is removed", async () => {
    const source = newSource();
    const mark = randomUUID();
    const ids = Array.from({ length: 9 }, () => randomUUID());
    const accept = await target.refuse(mark, "22P05");

    const answer = await post(target.url, [...ids.map((id) => event(source, id)), event(source, "refused", { mark })]);

    expect(answer.status).toBe(202);
    for (const id of ids) await isStored(source, id);
    const [found] = await arrived(source, 1);
    expect(found).toMatchObject({ id: "refused", reason: "not_storable", sqlState: "22P05", tenant: "default" });
    const read = await get(`${target.url}/events/refused?source=${encodeURIComponent(source)}`);
    expect(read.status).toBe(404);

    const listed = await target.run("replay", "--dry-run", "--source", source);
    expect(listed).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`com.example.e2e ${source} refused | not_storable 22P05`),
    });
    expect(listed.stdout).toMatch(/1 of \d+ events? would be replayed/);

    await accept();
    expect(await target.run("replay", "--source", source, "--type", "com.example.other")).toMatchObject({
      code: 0,
      stdout: "0 events replayed\n",
    });
    expect(await target.run("replay", "--source", source, "--reason", "not_storable")).toMatchObject({
      code: 0,
      stdout: "1 event replayed\n",
    });
    await isStored(source, "refused");
    expect(await list(source)).toEqual([]);
  });

  it("comes back with its replay count raised while the cause is there, until it is skipped", async () => {
    const source = newSource();
    const mark = randomUUID();
    const accept = await target.refuse(mark, "22003");
    await post(target.url, event(source, "refused", { mark }));
    await arrived(source, 1);

    // It may come back while the command still scans the queue.
    expect(await target.run("replay", "--source", source)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^1 event replayed\n/),
    });
    await arrived(source, 1, 1);
    const [found] = await eventually(
      () => target.deadLetters(source),
      ({ length }) => length === 1,
    );
    expect(found?.MessageAttributes).toMatchObject({
      reason: { StringValue: "not_storable" },
      sqlState: { StringValue: "22003" },
      tenant: { StringValue: "default" },
      type: { StringValue: "com.example.e2e" },
      eventId: { StringValue: "refused" },
      replays: { StringValue: "1" },
    });

    const capped = await target.run("replay", "--source", source, "--max-replays", "1");
    expect(capped.stdout).toContain("0 events replayed\n1 skipped: replayed 1 times or more");
    await accept();
    expect(await target.run("replay", "--source", source)).toMatchObject({ code: 0, stdout: "1 event replayed\n" });
    await isStored(source, "refused");
    expect(await list(source)).toEqual([]);
  });

  it("is stored as it was corrected in an exported file, with every digit, once", async () => {
    const source = newSource();
    const mark = randomUUID();
    const path = join(folder, "corrected.ndjson");
    const accept = await target.refuse(mark, "22P05");
    const body = (id: string) =>
      `{"id":"${id}","source":"${source}","type":"t","data":{"text":"${mark}","n":12345678901234567890.50}}`;
    await post(target.url, `[${body("000")},${body("001")}]`);
    await arrived(source, 2);
    await target.run("dead-letters", "export", path, "--source", source);
    await writeFile(path, (await readFile(path, "utf8")).replaceAll(mark, "repaired"));

    expect(await target.run("replay", "--edits", path)).toMatchObject({ code: 0, stdout: "2 events replayed\n" });
    const again = await target.run("replay", "--edits", path);

    const rows = () => target.sql(`select id, data::text from events where source = '${source}' order by id`);
    const data = '{"n": 12345678901234567890.50, "text": "repaired"}';
    expect(await eventually(rows, ({ length }) => length === 2)).toEqual([
      { id: "000", data },
      { id: "001", data },
    ]);
    expect(again).toMatchObject({ code: 1, stdout: "0 events replayed\n" });
    expect(again.stderr).toContain(`${path}:2 ${source} 00`);
    await accept();
  });
});

describe("all dead letters at once", () => {
  it("are moved back by SQS itself, and stored", async (context) => {
    const source = newSource();
    const mark = randomUUID();
    const accept = await target.refuse(mark, "22P05");
    await post(target.url, event(source, "refused", { mark }));
    await arrived(source, 1);
    await accept();
    // Those of others are not ours to move.
    if ((await target.deadLetters("")).length > 1) context.skip();

    expect(await target.run("replay", "--all")).toMatchObject({
      code: 0,
      // SQS counts about.
      stdout: expect.stringMatching(/^Done: about \d+ of \d+ messages? moved\n$/),
    });

    await isStored(source, "refused");
    expect(await list(source)).toEqual([]);
  });
});

describe("a message that is no envelope", () => {
  it("is parked whole beside its reason and keeps nobody waiting", async () => {
    const source = newSource();
    const body = `not an envelope ${source}`;
    const { queueUrl: QueueUrl } = target;

    await target.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: body, MessageGroupId: "default" }));
    await post(target.url, event(source, "after"));

    await isStored(source, "after");
    const [found] = await eventually(
      () => target.deadLetters(source),
      ({ length }) => length === 1,
    );
    expect(found?.Body).toBe(body);
    expect(found?.MessageAttributes).toMatchObject({ reason: { StringValue: "unreadable_message" } });
    const listed = await target.run("replay", "--dry-run", "--reason", "unreadable_message");
    expect(listed.stdout).toMatch(/^unreadable message [0-9a-f-]{36} \| unreadable_message/m);
  });
});
