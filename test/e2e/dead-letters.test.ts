import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { get, post } from "../support/http.ts";
import { runReplay } from "./run-replay.ts";
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

type Row = { id: string; event_id: string; reason: string; sql_state: string; tenant: string; replays: number };

/** The open dead letters of a source, when there are so many, each with so many replays. */
const opened = (source: string, count: number, replays = 0) =>
  eventually(
    () =>
      target.sql(
        `select id, event_id, reason, sql_state, tenant, replays from dead_letters where source = '${source}' and state = 'open' order by 2`,
      ) as unknown as Promise<Row[]>,
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
    const [found] = await opened(source, 1);
    expect(found).toMatchObject({ event_id: "refused", reason: "not_storable", sql_state: "22P05", tenant: "default" });
    const listed = await target.run("replay", "--dry-run", "--source", source);
    expect(listed).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`com.example.e2e ${source} refused | not_storable 22P05`),
    });
    expect(listed.stdout).toContain("1 event would be replayed");
    const lists = (filter: object) =>
      target.run("dead-letters", "list", "--id", found?.id ?? "", "--filter", JSON.stringify(filter), "--json");
    expect((await lists({ data: { mark: [mark] } })).stdout).toContain('"eventId":"refused"');
    expect(await lists({ exact: { type: "com.example.other" } })).toMatchObject({ code: 0, stdout: "" });

    await accept();
    expect(await runReplay(target, "--source", source, "--type", "com.example.other")).toMatchObject({
      code: 0,
      stdout: "0 events replayed\n",
    });
    expect(await runReplay(target, "--source", source, "--reason", "not_storable")).toMatchObject({
      code: 0,
      stdout: "1 event replayed\n1 stored, 0 came back\n",
    });
    await isStored(source, "refused");
    expect(await opened(source, 0)).toEqual([]);
  });

  it("comes back with its replay count raised while the cause is there, until it is skipped", async () => {
    const source = newSource();
    const mark = randomUUID();
    const accept = await target.refuse(mark, "22003");
    await post(target.url, event(source, "refused", { mark }));
    const [first] = await opened(source, 1);

    expect(await runReplay(target, "--source", source)).toMatchObject({
      code: 0,
      stdout: "1 event replayed\n0 stored, 1 came back\n",
    });

    const [back] = await opened(source, 1, 1);
    expect(back?.id).toBe(first?.id);
    expect(await runReplay(target, "--source", source, "--max-replays", "1")).toMatchObject({
      code: 0,
      stdout: "0 events replayed\n",
    });
    await accept();
    expect(await runReplay(target, "--source", source)).toMatchObject({
      code: 0,
      stdout: "1 event replayed\n1 stored, 0 came back\n",
    });
    await isStored(source, "refused");
    expect(
      await target.sql(
        `select number, outcome from dead_letter_replays where dead_letter_id = '${first?.id ?? ""}' order by 1`,
      ),
    ).toEqual([
      { number: 1, outcome: "dead_lettered" },
      { number: 2, outcome: "stored" },
    ]);
  });

  it("is stored as it was corrected in an exported file, with every digit, once", async () => {
    const source = newSource();
    const mark = randomUUID();
    const path = join(folder, "corrected.ndjson");
    const accept = await target.refuse(mark, "22P05");
    const body = (id: string) =>
      `{"id":"${id}","source":"${source}","type":"t","data":{"text":"${mark}","n":12345678901234567890.50}}`;
    await post(target.url, `[${body("000")},${body("001")}]`);
    await opened(source, 2);
    await target.run("dead-letters", "export", path, "--source", source);
    await writeFile(path, (await readFile(path, "utf8")).replaceAll(mark, "repaired"));

    expect(await runReplay(target, "--edits", path)).toMatchObject({
      code: 0,
      stdout: "2 events replayed\n2 stored, 0 came back\n",
    });
    const again = await runReplay(target, "--edits", path);

    const data = '{"n": 12345678901234567890.50, "text": "repaired"}';
    expect(await target.sql(`select id, data::text from events where source = '${source}' order by id`)).toEqual([
      { id: "000", data },
      { id: "001", data },
    ]);
    expect(again).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining("is no open dead letter") });
    await accept();
  });
});

describe("a message that is no envelope", () => {
  it("is kept whole beside its reason and keeps nobody waiting", async () => {
    const source = newSource();
    const body = `not an envelope ${source}`;
    const { queueUrl: QueueUrl } = target;

    await target.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: body, MessageGroupId: "default" }));
    await post(target.url, event(source, "after"));

    await isStored(source, "after");
    const kept = await eventually(
      () => target.sql(`select reason, is_event, state from dead_letters where body = '${body}'`),
      ({ length }) => length === 1,
    );
    expect(kept).toEqual([{ reason: "unreadable_message", is_event: false, state: "open" }]);
  });
});
