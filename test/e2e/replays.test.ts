import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bodyOf, deadLetterId } from "../support/dead-letter-rows.ts";
import { eventually } from "../support/eventually.ts";
import { get } from "../support/http.ts";
import { runReplay } from "./run-replay.ts";
import { openTarget, type Target } from "./test-stack.ts";

let target: Target;
let folder: string;
beforeAll(async () => {
  [target, folder] = await Promise.all([openTarget({ own: true }), mkdtemp(join(tmpdir(), "sluice-replays-"))]);
});
afterAll(async () => {
  await target?.close();
  await rm(folder, { recursive: true, force: true });
});

/** A source of a test's own, by which jobs leave the dead letters of other tests alone. */
const newSource = () => `${target.source}/${randomUUID()}`;
const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;

/** Writes open dead letters whose events can be stored by now. */
async function put(source: string, ids: readonly string[], data: unknown = {}): Promise<void> {
  const rows = ids.map((id) => {
    const body = bodyOf(id, { tenant: "default", type: "com.example.e2e", source, data });
    const texts = [deadLetterId(`${source} ${id}`), `${source} ${id}`, "default", "com.example.e2e", source, id, body];
    return `(${texts.map(quoted).join(",")}, 0, 'not_storable', '22P05', 'ERROR', 'ERROR', 1, true, '2026-11-21T09:00:00Z')`;
  });
  await target.sql(
    `insert into dead_letters (id, message_id, tenant, type, source, event_id, body, message_index, reason, sql_state, message,
      message_group, attempts, is_event, received_at) values ${rows.join(",")}`,
  );
}

const statesOf = (source: string) =>
  target.sql(`select event_id as id, state, replays from dead_letters where source = ${quoted(source)} order by 1`);
const isStored = (source: string, id: string) =>
  eventually(
    () => get(`${target.url}/events/${id}?source=${encodeURIComponent(source)}`),
    ({ status }) => status === 200,
  );

describe("the route of discards", () => {
  it("a method that the route of discards does not have is answered as a dead letter of that name", async () => {
    const ask = (method: string) =>
      target.call("/dead-letters/discard", { method, headers: { authorization: `Bearer ${target.apiKey}` } });

    expect([(await ask("GET")).status, (await ask("PUT")).status]).toEqual([400, 405]);
  });
});

describe("a replay by the command", () => {
  it("a replay is planned, sends the events, and says that they are stored", async () => {
    const source = newSource();
    await put(source, ["a", "b"]);

    const plan = await target.run("replay", "--dry-run", "--source", source);
    expect(plan).toMatchObject({ code: 0, stdout: expect.stringContaining("2 events would be replayed") });
    expect(plan.stdout).toContain(`com.example.e2e ${source} a | not_storable 22P05`);
    expect(await target.run("replay", "--source", source, "--type", "com.example.other")).toMatchObject({
      code: 0,
      stdout: "0 events replayed\n",
    });

    expect(await runReplay(target, "--source", source, "--reason", "not_storable")).toMatchObject({
      code: 0,
      stdout: "2 events replayed\n2 stored, 0 came back\n",
    });

    await isStored(source, "b");
    expect(await statesOf(source)).toEqual([
      { id: "a", state: "replayed", replays: 1 },
      { id: "b", state: "replayed", replays: 1 },
    ]);
  });

  it("corrected events of a file are stored as they are there, with every digit; a bad one is named and starts nothing", async () => {
    const source = newSource();
    await put(source, ["a"], "bad");
    const path = join(folder, "edits.ndjson");
    const line = (data: string) =>
      `{"type":"com.example.e2e","data":${data},"deadLetter":{"id":"${deadLetterId(`${source} a`)}"}}\n`;

    await writeFile(path, line('"a\\u0000"'));
    expect(await target.run("replay", "--edits", path)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("/data contains U+0000"),
    });
    await writeFile(path, line("12345678901234567890.50"));
    expect(await target.run("replay", "--edits", path)).toMatchObject({ code: 0 });

    await isStored(source, "a");
    expect(await target.sql(`select data::text from events where source = ${quoted(source)}`)).toEqual([
      { data: "12345678901234567890.50" },
    ]);
  });

  it("dead letters that are discarded are replayed no more", async () => {
    const source = newSource();
    await put(source, ["a"]);

    expect(await target.run("dead-letters", "discard", "--source", source, "--note", "a test", "--json")).toMatchObject(
      {
        code: 0,
        stdout: expect.stringContaining('"note": "a test"'),
      },
    );

    expect(await target.run("replay", "--source", source)).toMatchObject({ stdout: "0 events replayed\n" });
    expect(await statesOf(source)).toEqual([{ id: "a", state: "discarded", replays: 0 }]);
  });

  it("a dead letter that is closed is shown by the id of its event, with what became of it", async () => {
    const [source, id] = [newSource(), randomUUID()];
    await put(source, [id]);
    await target.run("dead-letters", "discard", "--id", id, "--note", "a test");

    expect(await target.run("dead-letters", "show", id)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(new RegExp(`^eventId +${id}\n(?:.*\n)*state +discarded\n`, "m")),
    });
  });

  it("a replay that is cancelled leaves the rest open, and can be watched to its end", async () => {
    const source = newSource();
    await put(
      source,
      Array.from({ length: 60 }, (_, at) => `e-${at}`),
    );
    const started = await target.call("/replays", {
      method: "POST",
      body: JSON.stringify({ filter: { exact: { source } }, rate: 2 }),
      headers: { authorization: `Bearer ${target.apiKey}`, "content-type": "application/json" },
    });
    const { id } = JSON.parse(started.text) as { id: string };

    expect(await target.run("replay", "--cancel", id)).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^\d+ events? replayed, and the replay was cancelled\n/),
    });

    const states = await statesOf(source);
    expect(states.filter(({ state }) => state === "open").length).toBeGreaterThan(20);
  });
});
