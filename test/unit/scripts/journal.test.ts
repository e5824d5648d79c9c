import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openJournal, readStart } from "../../../scripts/replay/journal.ts";
import { toReplayOptions } from "../../../scripts/replay/options.ts";
import { discard } from "../../../scripts/replay/unfinished.ts";
import { messageOf } from "../replay/support.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-journal-"));
  path = join(folder, "replay.journal");
});
afterEach(() => rmSync(folder, { recursive: true }));

const options = toReplayOptions({ dataDir: ".sluice", reason: ["not_storable"], limit: 9 }, 0);
const planned = (messageId: string, keys: string[], changes: { replays?: number; split?: boolean } = {}) => ({
  messageId,
  keys,
  replays: 0,
  split: false,
  ...changes,
});

describe("a journal", () => {
  it("knows after a kill which steps were done before it", async () => {
    const first = await openJournal(path, options);
    first.received([messageOf([1])]);
    await first.planned([planned("m-1", ["k1"], { split: true }), planned("m-2", ["k2", "k3"], { replays: 2 })]);
    await first.sent(["m-1", "m-2"]);
    await first.remainderRequeued(["m-1"]);
    first.deleted(["m-2"]);
    await first.planned([planned("m-3", ["k4"])]);
    // A kill leaves it open, and in the middle of a line.
    appendFileSync(path, '{"sent":["m-');

    const second = await openJournal(path, toReplayOptions({ dataDir: ".sluice" }, 0));

    expect(second.start.options).toEqual(options);
    expect(second.events).toBe(4);
    expect(Object.fromEntries(second.messages)).toMatchObject({
      "m-1": { sent: true, remainderRequeued: true, deleted: false },
      "m-2": { sent: true, deleted: true },
      "m-3": { sent: false },
    });
    expect([...second.held]).toEqual([["m-1", "r-1"]]);
    await second.sent(["m-3"]);
    expect((await reopened(second)).messages.get("m-3")?.sent).toBe(true);
  });

  it("knows that an event came back by its higher count", async () => {
    const journal = await openJournal(path, options);
    await journal.planned([planned("m-1", ["k1"], { replays: 2 }), planned("m-2", ["uncounted"], { replays: -1 })]);

    expect(journal.cameBack("k1", 3)).toBe(true);
    expect(journal.cameBack("k1", 2)).toBe(false);
    expect(journal.cameBack("uncounted", 0)).toBe(true);
    expect(journal.cameBack("never planned", 9)).toBe(false);
    await journal.finish();
    expect(existsSync(path)).toBe(false);
  });

  it("is readable by its owner only, and holds no event", async () => {
    const journal = await openJournal(path, options);
    journal.received([messageOf(["secret"])]);
    await journal.close();

    expect(statSync(path).mode & 0o077).toBe(0);
    expect(readFileSync(path, "utf8")).not.toContain("secret");
  });

  it("is refused while its replay runs, with the process id", async () => {
    // The parent of this process runs as long as this does.
    writeFileSync(`${path}.lock`, String(process.ppid));

    await expect(openJournal(path, options)).rejects.toThrow(`Process ${process.ppid} replays these dead letters now`);
    await expect(discard(path)).rejects.toThrow(`Process ${process.ppid} replays these dead letters now`);
    expect(readdirSync(folder)).toEqual(["replay.journal.lock"]);
  });

  it("is locked from before its first line until it is closed, even if a killed process left a lock", async () => {
    writeFileSync(`${path}.lock`, String(NO_PROCESS));

    const journal = await openJournal(path, options);

    expect(readFileSync(`${path}.lock`, "utf8")).toBe(String(process.pid));
    await journal.close();
    expect(readdirSync(folder)).toEqual(["replay.journal"]);
  });

  it("counts as none without a complete first line", async () => {
    writeFileSync(path, '{"start":{"at"');

    expect(await readStart(path)).toBeUndefined();
    await (await openJournal(path, options)).close();
    expect((await readStart(path))?.options).toEqual(options);
  });

  it.each(["{}\n", "no journal\n", '{"pid":1}\n', '{"start":1}\n'])(
    "is refused with its path when its content is %j",
    async (text) => {
      writeFileSync(path, text);

      await expect(readStart(path)).rejects.toThrow(`${path} is no journal of a replay`);
    },
  );

  it("fails the steps that depend on it when it cannot be written", async () => {
    const journal = await openJournal(path, options);
    await journal.close();

    await expect(journal.planned([planned("m-1", ["k1"])])).rejects.toThrow("closed");
    await expect(journal.sent(["m-1"])).rejects.toThrow("closed");
  });
});

/** Above the highest process id of Linux and of macOS. */
const NO_PROCESS = 2 ** 22 + 1;

async function reopened(journal: { close: () => Promise<void> }) {
  await journal.close();
  return openJournal(path, options);
}
