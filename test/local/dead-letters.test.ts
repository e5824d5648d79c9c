import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
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
import { eventually } from "../support/eventually.ts";
import { runScript } from "../support/run-script.ts";

let queues: DeadLetterQueues;
beforeAll(async () => {
  queues = await startDeadLetterQueues();
});
afterAll(() => queues?.stop());

const lines = (text: string) => text.split("\n").filter((line) => line !== "");
const json = (text: string) => lines(text).map((line) => JSON.parse(line) as Record<string, unknown>);
const ids = (text: string) => json(text).map(({ id }) => id);
const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();

describe.concurrent("npm run dead-letters -- list", () => {
  it("prints a line for each event, oldest first, with its facts, and leaves every message visible", async () => {
    const queue = await queues.open();
    await queue.put(
      deadLetter([{ id: "younger" }], {
        receivedAt: daysAgo(1),
        detail: "unsupported \u001b[2J sequence\nmore",
        replays: 2,
      }),
      deadLetter([{ id: "older", type: "com.example.other" }], {
        receivedAt: daysAgo(2),
        tenant: "acme",
        reason: "raised_by_trigger",
        sqlState: "P0001",
        attempts: 3,
      }),
    );

    const { code, stdout, stderr } = await queue.run("dead-letters", "list");

    expect(code).toBe(0);
    expect(lines(stdout)).toEqual([
      expect.stringMatching(
        /^com\.example\.other \/shop older \| raised_by_trigger P0001 \| tenant acme \| received .{24}, attempts 3, replays 0 \| no$/,
      ),
      // A client's text must not control the terminal.
      expect.stringMatching(/younger \| not_storable 22P05 .*, replays 2 \| unsupported \\u\{1b\}\[2J sequence$/),
    ]);
    expect(stderr).toBe("2 events in 2 messages\n");
    expect(await queue.counts()).toEqual({ visible: 2, hidden: 0 });
  });

  it("reads the facts of a message that SQS moved itself, and of a message that is no envelope", async () => {
    const queue = await queues.open();
    await queue.put(movedBySqs([{ id: "a" }, { id: "b" }]), {
      body: "{}",
      attributes: { reason: "unreadable_message" },
    });

    const rows = json((await queue.run("dead-letters", "list", "--json")).stdout);

    const moved = rows.filter(({ reason }) => reason === "max_receives_exceeded");
    expect(moved.map(({ id }) => id)).toEqual(["a", "b"]);
    expect(moved[0]).toEqual({
      id: "a",
      type: "com.example.order",
      source: "/shop",
      tenant: "default",
      messageId: expect.any(String),
      reason: "max_receives_exceeded",
      detail: expect.stringContaining("without finishing it"),
      receivedAt: "2026-11-20T10:00:00.000Z",
      sentAt: expect.stringMatching(/Z$/),
      attempts: 1,
      replays: 0,
    });
    const unreadable = rows.find(({ reason }) => reason === "unreadable_message");
    expect(unreadable).not.toHaveProperty("id");
    expect(unreadable?.["receivedAt"]).toBe(unreadable?.["sentAt"]);
  });

  it("prints the events that all its filters accept", async () => {
    const queue = await queues.open();
    await queue.put(
      deadLetter([{ id: "one" }], { receivedAt: daysAgo(4) }),
      deadLetter([{ id: "two" }], { reason: "raised_by_trigger", receivedAt: daysAgo(2) }),
      deadLetter([{ id: "three", type: "com.example.special" }, { id: "four" }], {
        reason: "other",
        receivedAt: daysAgo(2),
      }),
    );
    const filters = ["--reason", "raised_by_trigger", "--reason", "other", "--type", "com.example.order"];

    const { code, stdout } = await queue.run("dead-letters", "list", "--json", ...filters, "--newer-than", "3d");

    expect(code).toBe(0);
    expect(ids(stdout)).toEqual(expect.arrayContaining(["two", "four"]));
    expect(ids(stdout)).toHaveLength(2);
  });

  it("names an id that no dead letter has, and exits with 1", async () => {
    const queue = await queues.open();
    await queue.put(deadLetter([{ id: "there" }]));

    const { code, stdout, stderr } = await queue.run("dead-letters", "list", "--id", "there", "--id", "absent");

    expect(code).toBe(1);
    expect(lines(stdout)).toHaveLength(1);
    expect(stderr).toContain("No dead letter has the event id or message id absent");
    expect(stderr).not.toContain("id there");
  });

  it("reports how many messages another reader hides", async () => {
    const queue = await queues.open();
    await queue.put(deadLetter([{ id: "hidden" }]));
    await queue.hideAll();
    await queue.put(deadLetter([{ id: "visible" }]));

    const { code, stdout, stderr } = await queue.run("dead-letters", "list", "--json");

    expect(code).toBe(1);
    expect(ids(stdout)).toEqual(["visible"]);
    expect(stderr).toContain("About 1 more message hidden by another reader, visible again within 5 minutes");
    expect(stderr).toContain("About 1 more message stayed hidden by another reader");
    expect(stderr).toContain("At least 1 event in 1 message\n");
  });

  it("reads the messages that a second reader hides and then releases", async () => {
    const queue = await queues.open();
    await queue.put(...Array.from({ length: 30 }, (_, i) => deadLetter([{ id: `event-${i}` }])));
    // The second reader starts between the first count and the first page, and releases in the round after.
    const hide = beforeReceives(queue);
    const { ended } = queue.start("dead-letters", "list");
    await eventually(
      () => Promise.resolve(queue.proxy.calls.filter(({ action }) => action === "GetQueueAttributes").length),
      (counts) => counts === 2,
    );
    await (await hide.hidden())();

    expect(await ended).toMatchObject({ code: 0, stderr: "30 events in 30 messages\n" });
  });
});

describe.concurrent("npm run dead-letters -- group", () => {
  it("counts events by reason, largest group first, and by more fields on demand", async () => {
    const queue = await queues.open();
    await queue.put(
      movedBySqs([{ id: "a" }, { id: "b", source: "/mill" }, { id: "c" }]),
      deadLetter([{ id: "d" }], { tenant: "acme" }),
    );

    const { stdout } = await queue.run("dead-letters", "group", "--group-by", "source", "--group-by", "tenant");

    expect(lines(stdout).map((line) => line.split(/ {2,}/))).toEqual([
      ["EVENTS", "REASON", "SOURCE", "TENANT", "OLDEST"],
      ["2", "max_receives_exceeded", "/shop", "default", "2026-11-20T10:00:00.000Z"],
      ["1", "max_receives_exceeded", "/mill", "default", "2026-11-20T10:00:00.000Z"],
      ["1", "not_storable 22P05", "/shop", "acme", "2026-11-20T10:00:00.000Z"],
    ]);
    expect(await queue.counts()).toEqual({ visible: 2, hidden: 0 });
  });
});

describe.concurrent("npm run dead-letters -- show", () => {
  it("prints one event of a message with all its facts and every digit", async () => {
    const queue = await queues.open();
    const body = movedBySqs([{ id: "a" }, { id: "b" }]).body.replace('"data":{}', '"data":{"n":12345678901234567890}');
    await queue.put({ body, attributes: { detail: "ERROR: no\n  Detail: none" } }, deadLetter([{ id: "c" }]));

    const { code, stdout } = await queue.run("dead-letters", "show", "a");

    expect(code).toBe(0);
    expect(stdout).toMatch(/^event +a\n/);
    for (const fact of [
      /^reason +max_receives_exceeded$/m,
      /^events +2$/m,
      /^tenant +default$/m,
      /^replays +0$/m,
      /^detail {6}ERROR: no\n {14}Detail: none$/m,
    ])
      expect(stdout).toMatch(fact);
    expect(stdout).toContain('"n": 12345678901234567890');
    expect(stdout).not.toContain('"id": "b"');
  });

  it("prints a whole message, even if it is no JSON", async () => {
    const queue = await queues.open();
    await queue.put(
      { body: "no\u0009envelope", attributes: { reason: "unreadable_message" } },
      movedBySqs([{ id: "a" }, { id: "b" }]),
    );
    const messages = await queue.all();
    const idOf = (part: string) => messages.find(({ Body }) => Body?.includes(part))?.MessageId ?? "";

    const unreadable = await queue.run("dead-letters", "show", idOf("no"));
    const moved = await queue.run("dead-letters", "show", idOf('"b"'));

    expect(unreadable.stdout).toContain("\n\nno\\u{9}envelope\n");
    expect(moved.stdout.match(/"id": "/g)).toHaveLength(2);
    expect(moved.stdout).toContain('  "version": 1,');
  });
});

describe.concurrent("npm run dead-letters -- export", () => {
  it("writes each event as a line that could be sent, with its dead letter's facts, readable by the owner only", async () => {
    const queue = await queues.open();
    const path = join(queue.folder, "export.ndjson");
    const extensions = { traceparent: "00-1", retries: 3 };
    await queue.put(
      movedBySqs([
        { id: "a", extensions },
        { id: "b", data: "text" },
      ]),
      { body: "nothing", attributes: { reason: "unreadable_message" } },
    );

    const { code, stderr } = await queue.run("dead-letters", "export", path);

    expect(code).toBe(0);
    expect(stderr).toContain(`2 events written to ${path}\n1 unreadable message left out`);
    const written = json(await readFile(path, "utf8"));
    expect(written[0]).toEqual({
      id: "a",
      source: "/shop",
      type: "com.example.order",
      time: "2026-11-20T10:00:00Z",
      ...extensions,
      data: {},
      deadLetter: expect.objectContaining({ reason: "max_receives_exceeded", tenant: "default", replays: 0 }),
    });
    expect(written[1]).toMatchObject({ id: "b", data: "text" });
    expect((await stat(path)).mode & 0o077).toBe(0);
    expect(await queue.counts()).toEqual({ visible: 2, hidden: 0 });
  });

  it("overwrites no file, because it may hold corrected events", async () => {
    const queue = await queues.open();
    await queue.put(deadLetter([{ id: "a" }]));
    const path = await queue.file("corrected.ndjson", ["mine"]);

    expect(await queue.run("dead-letters", "export", path)).toMatchObject({
      code: 2,
      stderr: `error: ${path} exists already: name another file, or delete that one.\n`,
    });

    expect(await readFile(path, "utf8")).toBe("mine\n");
  });

  it("leaves no file if not all messages were read", async () => {
    const queue = await queues.open();
    const path = join(queue.folder, "export.ndjson");
    await queue.put(deadLetter([{ id: "hidden" }]));
    await queue.hideAll();
    await queue.put(deadLetter([{ id: "a" }]));

    const { code, stderr } = await queue.run("dead-letters", "export", path);

    expect(code).toBe(1);
    expect(stderr).toContain(`${path} was not written, because not all messages were read\n`);
    expect((await readdir(queue.folder)).filter((name) => name.startsWith("export"))).toEqual([]);
  });

  it("writes to stdout, and leaves no file when it fails", async () => {
    const queue = await queues.open();
    await queue.put(deadLetter([{ id: "a" }]));
    const path = join(queue.folder, "none", "export.ndjson");

    expect(ids((await queue.run("dead-letters", "export", "-")).stdout)).toEqual(["a"]);
    expect(await queue.run("dead-letters", "export", path)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`${join(queue.folder, "none")} does not exist: make the folder`),
    });
    expect(await queue.counts()).toEqual({ visible: 1, hidden: 0 });
  });
});

describe.concurrent("all messages", () => {
  it("are visible again after Ctrl-C", async () => {
    const queue = await queues.open();
    await queue.put(...Array.from({ length: 60 }, (_, i) => deadLetter([{ id: `event-${i}` }])));
    const { child, output, ended } = queue.start("dead-letters", "list");
    // Each of the eight connections makes its second call only after it has received a page.
    atCall(queue.proxy, "ReceiveMessage", 9, async () => {
      child.kill("SIGINT");
      await eventually(
        () => Promise.resolve(output.stderr),
        (stderr) => stderr.includes("Stopping"),
      );
    });

    expect(await ended).toMatchObject({ code: 1, stderr: expect.stringContaining("all of them are visible again") });
    expect(await queue.counts()).toEqual({ visible: 60, hidden: 0 });
    expect(idsIn(await queue.all())).toHaveLength(60);
  });

  it("are visible again after SQS has stopped answering, and the error says what to do", async () => {
    const queue = await queues.open();
    await queue.put(...Array.from({ length: 120 }, (_, i) => deadLetter([{ id: `event-${i}` }])));
    let pages = 0;
    queue.proxy.onCall = ({ action }) => {
      if (action === "ReceiveMessage" && ++pages === 5)
        queue.proxy.setFaults({ kind: "dropBefore", action: "ReceiveMessage" });
    };

    const { code, stdout, stderr } = await queue.run("dead-letters", "list");

    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("SQS does not answer: check the network");
    expect(await queue.counts()).toEqual({ visible: 120, hidden: 0 });
  });
});

describe.concurrent("a missing queue", () => {
  it("is reported with advice", async () => {
    const queue = await queues.open();
    const folder = join(queue.folder, "elsewhere");
    await mkdir(folder);
    const deadLetterQueueUrl = `${queue.addresses.deadLetterQueueUrl}-none`;
    await writeFile(join(folder, "runtime.json"), JSON.stringify({ ...queue.addresses, deadLetterQueueUrl }));

    expect(await runScript("dead-letters", ["list", "--data-dir", folder])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("The queue does not exist"),
    });
  });
});
