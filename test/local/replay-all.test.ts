import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { deadLetter, type DeadLetterQueues, startDeadLetterQueues } from "../support/dead-letter-queues.ts";
import { eventually } from "../support/eventually.ts";

let queues: DeadLetterQueues;
beforeAll(async () => {
  queues = await startDeadLetterQueues();
});
afterAll(() => queues?.stop());

const many = (count: number) =>
  Array.from({ length: count }, (_, i) => deadLetter([{ id: `event-${i}` }], { replays: 7 }));

describe.concurrent("npm run replay -- --all", () => {
  it("replay --all lets SQS move every message as it is, and follows the task to its end", async () => {
    const queue = await queues.open();
    await queue.put(...many(25), { body: "unreadable" });

    const { code, stdout } = await queue.run("replay", "--all");

    expect({ code, stdout }).toEqual({ code: 0, stdout: "Done: about 26 of 26 messages moved\n" });
    const moved = await queue.all("events");
    expect(moved).toHaveLength(26);
    // By its reason the consumer knows that it was replayed once more.
    const attributes = moved.map(({ MessageAttributes: { replays, reason } = {} }) => [
      replays?.StringValue,
      reason?.StringValue,
    ]);
    expect(attributes.filter(([replays, reason]) => replays === "7" && reason === "not_storable")).toHaveLength(25);
    expect(await queue.counts()).toEqual({ visible: 0, hidden: 0 });
    expect(queue.proxy.calls.map(({ action }) => action)).not.toContain("ReceiveMessage");
  });

  it("replay --all is cancelled by Ctrl-C, and messages that were not moved stay", async () => {
    const queue = await queues.open();
    await queue.put(...many(60));
    const { child, ended } = queue.start("replay", "--all", "--rate", "1");
    await eventually(
      () => queue.counts("events"),
      ({ visible }) => visible > 0,
    );

    child.kill("SIGINT");
    const { code, stdout } = await ended;

    expect(code).toBe(1);
    expect(stdout).toMatch(/^Cancelled: about \d+ of 60 messages moved, the others stay\n$/);
    const [moved, left] = [await queue.counts("events"), await queue.counts()];
    expect(moved.visible).toBeLessThan(60);
    expect(moved.visible + left.visible).toBe(60);
  });

  it("replay --all reports a task that runs already, and follows it", async () => {
    const queue = await queues.open();
    await queue.put(...many(60));
    const first = queue.start("replay", "--all", "--rate", "1");
    await eventually(
      () => queue.counts("events"),
      ({ visible }) => visible > 0,
    );
    first.child.kill("SIGKILL");
    await first.ended;

    const second = queue.start("replay", "--all");
    await eventually(
      () => Promise.resolve(second.output.stderr),
      (stderr) => stderr !== "",
    );
    second.child.kill("SIGTERM");
    const { code, stdout, stderr } = await second.ended;

    expect(stderr).toMatch(/^A move task that was started at \S+ to \S+:events-\d+ runs already; Ctrl-C cancels it\n/);
    expect({ code, stdout }).toEqual({
      code: 1,
      stdout: expect.stringMatching(/^Cancelled: about \d+ of 60 messages/),
    });
  });

  it.each([
    [["--all", "--reason", "x"], "--all lets SQS move every message as it is. Leave out --reason x"],
    [["--all", "--limit", "3", "--dry-run"], "Leave out --dry-run --limit 3, or leave out --all"],
    [["--all", "--rate", "501"], "--rate takes at most 500 with --all"],
    [["--resume", "--type", "a b"], "--resume continues the replay with its own options. Leave out --type 'a b'"],
    [["--discard", "--resume"], "Leave out --discard"],
    [["--older-than", "soon"], "--older-than takes a duration such as 90s, 30m, 2h, 3d or 1w, not soon"],
    [["--rate", "0.5"], "--rate takes a whole number above 0, not 0.5"],
    [["--edits", "none.ndjson"], "none.ndjson does not exist"],
  ])("replay with %j is refused with the options to leave out", async (flags, why) => {
    const queue = await queues.open();

    expect(await queue.run("replay", ...flags)).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringContaining(why),
    });
  });
});
