import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  atCall,
  beforeReceives,
  idsIn,
  deadLetter,
  type DeadLetterQueues,
  movedBySqs,
  startDeadLetterQueues,
} from "../support/dead-letter-queues.ts";
import { killAndForget } from "../support/run-script.ts";

let queues: DeadLetterQueues;
beforeAll(async () => {
  queues = await startDeadLetterQueues();
});
afterAll(() => queues?.stop());

const many = (count: number) => Array.from({ length: count }, (_, i) => deadLetter([{ id: `event-${i}` }]));
const ids = (count: number) => Array.from({ length: count }, (_, i) => `event-${i}`).toSorted();

/** The queues of one test, with short forms of the checks. */
async function open() {
  const queue = await queues.open();
  return {
    queue,
    replay: (...args: string[]) => queue.run("replay", ...args),
    hasJournal: () => existsSync(join(queue.folder, "replay.journal")),
    replaysOf: async (name: "events" | "dead") =>
      (await queue.all(name))
        .map(({ MessageAttributes }) => MessageAttributes?.["replays"]?.StringValue ?? "")
        .toSorted(),
    calls: (action: string) => queue.proxy.calls.filter((call) => call.action === action),
  };
}

describe.concurrent("a replay", () => {
  it("sends every message verbatim, in its tenant's group, with its replay count raised, and leaves none", async () => {
    const { queue, replay, hasJournal } = await open();
    const messages = [
      deadLetter([{ id: "a" }], { tenant: "acme" }),
      deadLetter([{ id: "b" }], { replays: 3 }),
      movedBySqs([{ id: "c" }]),
    ];
    const unreadable = { body: "no envelope", attributes: { reason: "unreadable_message" } };
    await queue.put(...messages, unreadable);

    const { code, stdout } = await replay();

    expect({ code, stdout }).toEqual({ code: 0, stdout: "4 events replayed\n" });
    const arrived = (await queue.all("events")).map(({ Body = "", Attributes, MessageAttributes }) =>
      [
        Body,
        Attributes?.MessageGroupId,
        MessageAttributes?.["replays"]?.StringValue,
        Object.keys(MessageAttributes ?? {}).length,
      ].join(" "),
    );
    expect(arrived.toSorted()).toEqual(
      [
        `${messages[0]?.body} acme 1 1`,
        `${messages[1]?.body} default 4 1`,
        `${messages[2]?.body} default 1 1`,
        "no envelope  1 1",
      ].toSorted(),
    );
    expect(await queue.counts()).toEqual({ visible: 0, hidden: 0 });
    expect(hasJournal()).toBe(false);
  });

  it("keeps the events of a message that do not match as a message with the same facts", async () => {
    const { queue, replay } = await open();
    const moved = movedBySqs([{ id: "a" }, { id: "b", type: "com.example.bad" }, { id: "c" }]);
    moved.body = moved.body.replace('"data":{}', '"data":12345678901234567890');
    await queue.put(moved, deadLetter([{ id: "d" }]));

    expect(await replay("--type", "com.example.order", "--reason", "max_receives_exceeded")).toMatchObject({
      code: 0,
      stdout: "2 events replayed\n",
    });

    const [arrived] = await queue.all("events");
    expect(idsIn([arrived ?? {}])).toEqual(["a", "c"]);
    expect(arrived?.Body).toContain('"data":12345678901234567890');
    const kept = await queue.all();
    expect(idsIn(kept)).toEqual(["b", "d"]);
    const rest = kept.find((message) => idsIn([message])[0] === "b");
    expect(JSON.parse(rest?.Body ?? "")).toMatchObject({ version: 1, receivedAt: "2026-11-20T10:00:00.000Z" });
    expect(rest?.Attributes?.MessageGroupId).toBe("default");
    expect(rest?.MessageAttributes).toMatchObject({
      reason: { StringValue: "max_receives_exceeded" },
      tenant: { StringValue: "default" },
      attempts: { StringValue: "1" },
      replays: { StringValue: "0" },
    });
  });

  it("stops at its limit of events, even within a message", async () => {
    const { queue, replay } = await open();
    await queue.put(movedBySqs(ids(5).map((id) => ({ id }))), movedBySqs([{ id: "x" }, { id: "y" }]));

    expect(await replay("--limit", "6")).toMatchObject({ code: 0, stdout: "6 events replayed\n" });

    expect(idsIn(await queue.all("events"))).toHaveLength(6);
    expect(idsIn(await queue.all())).toHaveLength(1);
    expect((await queue.counts()).hidden).toBe(0);
  });

  it("keeps to its rate", async () => {
    const { queue, replay, calls } = await open();
    await queue.put(...many(30));
    const started = performance.now();

    expect(await replay("--rate", "20")).toMatchObject({ code: 0, stdout: "30 events replayed\n" });

    // Ten at once, then ten in each half second.
    expect(performance.now() - started).toBeGreaterThan(1_400);
    expect(calls("ReceiveMessage").every(({ entries }) => entries.length <= 10)).toBe(true);
  });

  it("skips events that were replayed too often, unless --max-replays allows them", async () => {
    const { queue, replay, replaysOf } = await open();
    await queue.put(deadLetter([{ id: "fresh" }], { replays: 4 }), deadLetter([{ id: "stale" }], { replays: 5 }));

    expect(await replay()).toMatchObject({
      code: 0,
      stdout: "1 event replayed\n1 skipped: replayed 5 times or more; --max-replays raises that\n",
    });
    expect(idsIn(await queue.all())).toEqual(["stale"]);
    expect(await replay("--max-replays", "6")).toMatchObject({ code: 0, stdout: "1 event replayed\n" });
    expect(await replaysOf("events")).toEqual(["5", "6"]);
  });

  it("sends to another queue, but not to a missing queue or to the dead-letter queue itself", async () => {
    const { queue, replay } = await open();
    await queue.put(deadLetter([{ id: "a" }]));

    expect(await replay("--to-queue", `${queue.urlFor("other")}-none`)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("The queue does not exist"),
    });
    for (const url of [queue.urlFor("dead"), queue.urlFor("dead").replace("127.0.0.1", "localhost")])
      expect(await replay("--to-queue", url)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining("--to-queue names the dead"),
      });
    expect(await replay("--to-queue", queue.urlFor("other"))).toMatchObject({ code: 0, stdout: "1 event replayed\n" });

    expect(idsIn(await queue.all("other"))).toEqual(["a"]);
    expect(await queue.counts("events")).toEqual({ visible: 0, hidden: 0 });
  });

  it("names the ids that no dead letter has, and exits with 1", async () => {
    const { queue, replay } = await open();
    await queue.put(deadLetter([{ id: "a" }]));

    const { code, stdout, stderr } = await replay("--id", "a", "--id", "absent");

    expect({ code, stdout }).toEqual({ code: 1, stdout: "1 event replayed\n" });
    expect(stderr).toContain("No dead letter has the event id or message id absent\n");
  });

  it("skips an event that comes back during the run", async () => {
    const { queue, replay, replaysOf } = await open();
    await queue.put(deadLetter([{ id: "bad" }]));
    // The part of the consumer, whose database refuses the event again at once.
    atCall(queue.proxy, "DeleteMessageBatch", 1, () => queue.put(deadLetter([{ id: "bad" }], { replays: 1 })));

    const { code, stdout } = await replay("--rate", "1");

    expect(code).toBe(0);
    expect(stdout).toBe(
      "1 event replayed\n1 came back during the replay: refused again, and left for another replay\n",
    );
    expect(idsIn(await queue.all())).toEqual(["bad"]);
    expect(await replaysOf("events")).toEqual(["1"]);
  });
});

describe.concurrent("a dry run", () => {
  it("counts exactly, shows ten events, and moves nothing", async () => {
    const { queue, replay, calls } = await open();
    await queue.put(
      ...many(23),
      deadLetter([{ id: "often" }], { replays: 5 }),
      deadLetter([{ id: "x" }], { reason: "other" }),
    );

    const { code, stdout } = await replay("--dry-run", "--reason", "not_storable", "--limit", "20");

    expect(code).toBe(0);
    const lines = stdout.trimEnd().split("\n");
    expect(lines.slice(0, 10).every((line) => line.startsWith("com.example.order /shop event-"))).toBe(true);
    expect(lines.slice(10)).toEqual([
      "and 10 more",
      "20 of 25 events would be replayed, from 20 messages",
      "1 would be skipped: replayed 5 times or more",
    ]);
    expect(await queue.counts()).toEqual({ visible: 25, hidden: 0 });
    expect(calls("SendMessageBatch")).toEqual([]);
  });

  it("reports the messages that another reader hid from it, and exits with 1", async () => {
    const { queue, replay } = await open();
    await queue.put(...many(3));
    beforeReceives(queue);

    const { code, stdout, stderr } = await replay("--dry-run");

    expect(code).toBe(1);
    expect(stdout).toBe("At least 0 of 0 events would be replayed, from 0 messages\n");
    expect(stderr).toMatch(/^About 3 more messages stayed hidden/);
  });
});

describe.concurrent("corrected events", () => {
  it("are sent as the file has them, and the other events of their message stay", async () => {
    const { queue, replay, replaysOf } = await open();
    const moved = movedBySqs([{ id: "a", extensions: { trace: "1" } }, { id: "b" }]);
    moved.body = moved.body.replace('"data":{}', '"data":{"bad":true,"n":12345678901234567890}');
    await queue.put(moved, deadLetter([{ id: "c" }], { replays: 1, tenant: "acme" }));
    const path = join(queue.folder, "corrected.ndjson");
    await queue.run("dead-letters", "export", path, "--id", "a", "--id", "c");
    await writeFile(path, (await readFile(path, "utf8")).replace('"bad":true', '"bad":false'));

    expect(await replay("--edits", path)).toMatchObject({ code: 0, stdout: "2 events replayed\n" });

    const arrived = await queue.all("events");
    const a = arrived.find((message) => idsIn([message])[0] === "a");
    expect(a?.Body).toContain('"data":{"bad":false,"n":12345678901234567890}');
    expect(a?.Body).toContain('"extensions":{"trace":"1"}');
    expect(a?.Body).not.toContain("deadLetter");
    expect(await replaysOf("events")).toEqual(["1", "2"]);
    expect(idsIn(await queue.all())).toEqual(["b"]);
  });

  it("are not replayed if any line is bad, and each bad line is named", async () => {
    const { queue, replay } = await open();
    await queue.put(deadLetter([{ id: "a" }]), deadLetter([{ id: "b" }]));
    const path = await queue.file("bad.ndjson", [
      JSON.stringify({ ...good, id: "a" }),
      "",
      "{",
      JSON.stringify({ ...good, id: "b", data: "\u0000" }),
      JSON.stringify({ ...good, id: "b", type: "" }),
      JSON.stringify({ ...good, id: "b", Strange: "x" }),
      JSON.stringify({ ...good, id: "a", data: 2 }),
      "[]",
    ]);

    const { code, stdout, stderr } = await replay("--edits", path);

    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr.trimEnd().split("\n")).toEqual([
      expect.stringMatching(`error: ${path}:3 is not JSON: `),
      `${path}:4 /data contains U+0000, which PostgreSQL cannot store; remove it`,
      `${path}:5 /type must not be empty`,
      expect.stringMatching(`${path}:6 /Strange .*is no attribute of an event`),
      `${path}:7 has another content for the event a than line 1`,
      `${path}:8 is not a JSON object; write one event a line`,
      "Nothing was replayed.",
    ]);
    expect(await queue.counts()).toEqual({ visible: 2, hidden: 0 });
  });

  it("are named when no dead letter has them, and the exit code is 1", async () => {
    const { queue, replay } = await open();
    await queue.put(deadLetter([{ id: "a" }]));
    const path = await queue.file(
      "more.ndjson",
      ["a", "absent"].map((id) => JSON.stringify({ ...good, id })),
    );

    const { code, stdout, stderr } = await replay("--edits", path);

    expect({ code, stdout }).toEqual({ code: 1, stdout: "1 event replayed\n" });
    expect(stderr).toContain(`No dead letter that matches has the event of ${path}:2 /shop absent`);
  });
});

const good = { source: "/shop", type: "com.example.order", time: "2026-11-20T10:00:00Z", data: 1 };

describe.concurrent("a replay that meets faults", () => {
  it("sends again the messages that SQS failed at first, and names those that it refuses for good", async () => {
    const { queue, replay, hasJournal, replaysOf } = await open();
    await queue.put(...many(12));
    let refusals = 0;
    const entries = ({ MessageBody: body = "" }) =>
      body.includes('"event-7"') || (body.includes('"event-3"') && ++refusals < 3);
    queue.proxy.setFaults({ kind: "failEntries", action: "SendMessageBatch", entries });

    const { code, stdout, stderr } = await replay();

    expect({ code, stdout }).toEqual({ code: 1, stdout: "11 events replayed\n1 failed\n" });
    expect(stderr).toMatch(/event-7 .* was not replayed: InternalError/);
    expect(idsIn(await queue.all("events"))).toEqual(ids(12).filter((id) => id !== "event-7"));
    expect(idsIn(await queue.all())).toEqual(["event-7"]);
    expect(new Set(await replaysOf("events"))).toEqual(new Set(["1"]));
    expect(await queue.counts()).toEqual({ visible: 1, hidden: 0 });
    expect(hasJournal()).toBe(false);
  });

  it("repeats a call whose answer was lost, with the same replay count", async () => {
    const { queue, replay, replaysOf } = await open();
    await queue.put(...many(2));
    queue.proxy.setFaults(
      { kind: "dropAfter", action: "SendMessageBatch", calls: 1 },
      { kind: "dropAfter", action: "DeleteMessageBatch", calls: 1 },
    );

    expect(await replay()).toMatchObject({ code: 0, stdout: "2 events replayed\n" });

    expect(await replaysOf("events")).toEqual(expect.arrayContaining(["1", "1", "1"]));
    expect(new Set(idsIn(await queue.all("events")))).toEqual(new Set(ids(2)));
    expect(await queue.counts()).toEqual({ visible: 0, hidden: 0 });
  });

  it("reports that messages may be hidden because an answer was lost", async () => {
    const { queue, replay } = await open();
    await queue.put(...many(2));
    queue.proxy.setFaults({ kind: "dropAfter", action: "ReceiveMessage", calls: 8 });

    const { code, stdout, stderr } = await replay();

    expect({ code, stdout }).toEqual({ code: 1, stdout: "0 events replayed\n" });
    expect(stderr).toContain("messages of a lost answer are visible again within 5 minutes");
    expect(await queue.counts()).toEqual({ visible: 0, hidden: 2 });
  });

  it("ends with advice and leaves no journal when SQS stops answering before anything was sent", async () => {
    const { queue, replay, hasJournal } = await open();
    await queue.put(deadLetter([{ id: "a" }]));
    queue.proxy.setFaults({ kind: "dropBefore", action: "ReceiveMessage" });

    const { code, stdout, stderr } = await replay();

    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^error: SQS does not answer: check the network/);
    expect(hasJournal()).toBe(false);
  });

  it("is unfinished when it cannot delete, and the same command finishes it without sending again", async () => {
    const { queue, replay, calls } = await open();
    await queue.put(...many(3));
    queue.proxy.setFaults({
      kind: "failEntries",
      action: "DeleteMessageBatch",
      entries: ({ Id }) => Id === "0",
      calls: 50,
    });

    const first = await replay();
    queue.proxy.setFaults();
    const second = await replay();

    expect(first).toMatchObject({ code: 1, stdout: "3 events replayed\n" });
    expect(first.stderr).toMatch(
      /it was sent, but not deleted: InternalError[^]*The replay is unfinished\. Finish it with/,
    );
    expect(second).toMatchObject({ code: 0, stdout: "3 events replayed, 3 of them before it was interrupted\n" });
    expect(calls("SendMessageBatch")).toEqual([]);
    expect(idsIn(await queue.all("events"))).toEqual(ids(3));
    expect(await queue.counts()).toEqual({ visible: 0, hidden: 0 });
  });
});

describe.concurrent("a replay that is killed", () => {
  it("is finished by --resume when it was killed before a delete: nothing is sent twice, the limit holds", async () => {
    const { queue, replay, hasJournal, replaysOf } = await open();
    await queue.put(...many(45));
    // One page at a time, because messages in flight at the kill may be sent again.
    const killed = queue.start("replay", "--limit", "30", "--rate", "100");
    atCall(queue.proxy, "DeleteMessageBatch", 2, () => killAndForget(killed.child));
    await killed.ended;
    queue.proxy.onCall = undefined;
    const sentBefore = idsIn(await queue.all("events"));

    const other = await replay("--reason", "not_storable");
    const { code, stdout, stderr } = await replay("--resume");

    expect(other).toMatchObject({ code: 2, stdout: "" });
    expect(other.stderr).toMatch(
      /with --limit 30 is unfinished\. Finish it with `npm run replay -- --resume --data-dir /,
    );
    expect(sentBefore).toHaveLength(20);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^30 events replayed, \d+ of them before it was interrupted\n$/);
    expect(stderr).toMatch(/Continues the replay of /);
    const sent = idsIn(await queue.all("events"));
    expect(sent).toHaveLength(30);
    expect(new Set(sent).size).toBe(30);
    expect([...sent, ...idsIn(await queue.all())].toSorted()).toEqual(ids(45));
    expect(new Set(await replaysOf("events"))).toEqual(new Set(["1"]));
    expect((await queue.counts()).hidden).toBe(0);
    expect(hasJournal()).toBe(false);
  });

  it("stays unfinished until the messages of a lost receive are visible and replayed too, within its limit", async () => {
    const { queue, replay, hasJournal } = await open();
    await queue.put(...many(3));
    const killed = queue.start("replay", "--limit", "5");
    atCall(queue.proxy, "DeleteMessageBatch", 1, () => killAndForget(killed.child));
    await killed.ended;
    queue.proxy.onCall = undefined;
    // Like messages whose answer the killed process never saw: hidden, and not in its journal.
    await queue.put(...["x", "y", "z"].map((id) => deadLetter([{ id }])));
    const show = await queue.hideAll();

    const first = await replay("--resume");
    const kept = hasJournal();
    await show();
    const second = await replay("--resume");

    expect(first).toMatchObject({ code: 1, stdout: "3 events replayed, 3 of them before it was interrupted\n" });
    expect(first.stderr).toMatch(/About 3 more messages stayed hidden .*; run --resume again in 5 minutes\n/);
    expect(kept).toBe(true);
    expect(second).toMatchObject({ code: 0, stdout: "5 events replayed, 3 of them before it was interrupted\n" });
    expect(await queue.counts()).toEqual({ visible: 1, hidden: 0 });
    expect(hasJournal()).toBe(false);
  });

  it("is finished within its limit when it was killed before a delete, even if SQS fails the next deletes", async () => {
    const { queue, replay, hasJournal, calls } = await open();
    await queue.put(...many(3));
    const killed = queue.start("replay", "--limit", "3");
    atCall(queue.proxy, "DeleteMessageBatch", 1, () => killAndForget(killed.child));
    await killed.ended;
    queue.proxy.onCall = undefined;
    await queue.put(deadLetter([{ id: "beyond" }]));
    await queue.hideAll();
    const entries = ({ Id }: { Id?: string }) => Id === "0";
    // As many times as a call is repeated.
    queue.proxy.setFaults({ kind: "failEntries", action: "DeleteMessageBatch", entries, calls: 5 });

    const { code, stdout } = await replay("--resume");

    expect({ code, stdout }).toEqual({ code: 0, stdout: "3 events replayed, 3 of them before it was interrupted\n" });
    expect(calls("SendMessageBatch")).toHaveLength(0);
    expect(await queue.counts()).toEqual({ visible: 0, hidden: 1 });
    expect(hasJournal()).toBe(false);
  });

  it("sends an unconfirmed event again with the same count, and skips an event that came back", async () => {
    const { queue, replay, replaysOf } = await open();
    await queue.put(deadLetter([{ id: "bad" }]), deadLetter([{ id: "good" }]));
    const killed = queue.start("replay");
    queue.proxy.setFaults({ kind: "dropAfter", action: "SendMessageBatch", calls: 1 });
    // At the client's second attempt, after the first arrived and its answer was lost.
    atCall(queue.proxy, "SendMessageBatch", 2, () => killAndForget(killed.child));
    await killed.ended;
    queue.proxy.onCall = undefined;
    await queue.put(deadLetter([{ id: "bad" }], { replays: 1 }));

    const { code, stdout } = await replay();

    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: "2 events replayed\n1 came back during the replay: refused again, and left for another replay\n",
    });
    expect(new Set(idsIn(await queue.all("events")))).toEqual(new Set(["bad", "good"]));
    expect(new Set(await replaysOf("events"))).toEqual(new Set(["1"]));
    expect(idsIn(await queue.all())).toEqual(["bad"]);
  });

  // The first call sends the replayed event, the second the remainder.
  it.each([
    ["SendMessageBatch", 2],
    ["DeleteMessageBatch", 1],
  ])("neither loses nor doubles an event of a split message when killed at %s %i", async (action, nth) => {
    const { queue, replay } = await open();
    await queue.put(movedBySqs([{ id: "a" }, { id: "b", source: "/mill" }]));
    // One page at a time: a poll under way would receive the remainder, and hide it with the process.
    const killed = queue.start("replay", "--source", "/mill", "--rate", "100");
    atCall(queue.proxy, action, nth, () => killAndForget(killed.child));
    await killed.ended;
    queue.proxy.onCall = undefined;

    expect(await replay("--resume")).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^Continues the replay [^\n]*\n$/),
    });

    expect(idsIn(await queue.all("events"))).toEqual(["b"]);
    expect(idsIn(await queue.all())).toEqual(["a"]);
  });

  it("is forgotten by --discard, and the events that it had sent can be replayed again", async () => {
    const { queue, replay, hasJournal } = await open();
    await queue.put(deadLetter([{ id: "a" }]));
    const killed = queue.start("replay");
    atCall(queue.proxy, "DeleteMessageBatch", 1, () => killAndForget(killed.child));
    await killed.ended;
    queue.proxy.onCall = undefined;

    expect(await replay("--discard")).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^The replay that was begun at .* is forgotten/),
    });

    expect(hasJournal()).toBe(false);
    expect(await replay("--resume")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("no unfinished replay"),
    });
  });
});

describe.concurrent("a damaged journal", () => {
  it("stops a replay, but not a dry run, and is forgotten by --discard", async () => {
    const { queue, replay, hasJournal } = await open();
    await queue.put(deadLetter([{ id: "a" }]));
    await queue.file("replay.journal", ["damaged"]);

    expect(await replay()).toMatchObject({ code: 2, stderr: expect.stringContaining("Forget it with --discard") });
    expect(await replay("--dry-run")).toMatchObject({ code: 0, stdout: expect.stringContaining("1 of 1 event would") });
    expect(await replay("--discard")).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^The replay that was in the damaged journal is forgotten/),
    });

    expect(hasJournal()).toBe(false);
  });
});

describe.concurrent("a replay that is stopped", () => {
  it("finishes its current page on SIGTERM, releases the rest, and continues with the same command", async () => {
    const { queue, replay } = await open();
    await queue.put(...many(40));
    const stopped = queue.start("replay", "--rate", "10");
    atCall(queue.proxy, "DeleteMessageBatch", 2, () => void stopped.child.kill("SIGTERM"));

    const first = await stopped.ended;
    const between = { left: await queue.counts(), sent: idsIn(await queue.all("events")).length };
    const second = await replay("--rate", "1000");

    expect(first).toMatchObject({ code: 1, stderr: expect.stringContaining("The replay is unfinished") });
    expect(between).toEqual({ left: { visible: 20, hidden: 0 }, sent: 20 });
    expect(first.stdout).toBe("20 events replayed\n");
    expect(second).toMatchObject({ code: 0, stdout: "40 events replayed, 20 of them before it was interrupted\n" });
    expect(idsIn(await queue.all("events"))).toEqual(ids(40));
  });
});
