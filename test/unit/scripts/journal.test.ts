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
import { letterOf } from "./support.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-journal-"));
  path = join(folder, "replay.journal");
});
afterEach(() => rmSync(folder, { recursive: true }));

const options = toReplayOptions({ dataDir: ".sluice", reason: ["not_storable"], limit: 9 }, 0);
const take = (messageId: string, keys: string[], changes: { replays?: number; split?: boolean } = {}) => ({
  messageId,
  keys,
  replays: 0,
  split: false,
  ...changes,
});

describe("a journal", () => {
  it("knows after a kill at any line what was done before it", async () => {
    const first = await openJournal(path, options);
    first.hold([letterOf([1])]);
    await first.take([take("m-1", ["k1"], { split: true }), take("m-2", ["k2", "k3"], { replays: 2 })]);
    await first.sent(["m-1", "m-2"]);
    await first.parted(["m-1"]);
    first.gone(["m-2"]);
    await first.take([take("m-3", ["k4"])]);
    // As a kill leaves it: not closed, and in the middle of a line.
    appendFileSync(path, '{"sent":["m-');

    const second = await openJournal(path, toReplayOptions({ dataDir: ".sluice" }, 0));

    expect(second.start.options).toEqual(options);
    expect(second.events).toBe(4);
    expect(Object.fromEntries(second.letters)).toMatchObject({
      "m-1": { sent: true, parted: true, gone: false },
      "m-2": { sent: true, gone: true },
      "m-3": { sent: false },
    });
    expect([...second.held]).toEqual([["m-1", "r-1"]]);
    await second.sent(["m-3"]);
    expect((await reopened(second)).letters.get("m-3")?.sent).toBe(true);
  });

  it("knows that an event came back by its higher count", async () => {
    const journal = await openJournal(path, options);
    await journal.take([take("m-1", ["k1"], { replays: 2 }), take("m-2", ["uncounted"], { replays: -1 })]);

    expect(journal.cameBack("k1", 3)).toBe(true);
    expect(journal.cameBack("k1", 2)).toBe(false);
    expect(journal.cameBack("uncounted", 0)).toBe(true);
    expect(journal.cameBack("never taken", 9)).toBe(false);
    await journal.finish();
    expect(existsSync(path)).toBe(false);
  });

  it("is its owner's only, and holds no event", async () => {
    const journal = await openJournal(path, options);
    journal.hold([letterOf(["secret"])]);
    await journal.close();

    expect(statSync(path).mode & 0o077).toBe(0);
    expect(readFileSync(path, "utf8")).not.toContain("secret");
  });

  it("of a replay that runs is refused with its process", async () => {
    // The parent of this process runs as long as this does.
    writeFileSync(`${path}.lock`, String(process.ppid));

    await expect(openJournal(path, options)).rejects.toThrow(`Process ${process.ppid} replays these letters now`);
    await expect(discard(path)).rejects.toThrow(`Process ${process.ppid} replays these letters now`);
    expect(readdirSync(folder)).toEqual(["replay.journal.lock"]);
  });

  it("is locked from before its first line until it is closed, also where a killed process left a lock", async () => {
    writeFileSync(`${path}.lock`, String(NO_PROCESS));

    const journal = await openJournal(path, options);

    expect(readFileSync(`${path}.lock`, "utf8")).toBe(String(process.pid));
    await journal.close();
    expect(readdirSync(folder)).toEqual(["replay.journal"]);
  });

  it("that was killed before its first line was whole is none", async () => {
    writeFileSync(path, '{"start":{"at"');

    expect(await readStart(path)).toBeUndefined();
    await (await openJournal(path, options)).close();
    expect((await readStart(path))?.options).toEqual(options);
  });

  it.each(["{}\n", "no journal\n", '{"pid":1}\n', '{"start":1}\n'])("%j is none, and is named", async (text) => {
    writeFileSync(path, text);

    await expect(readStart(path)).rejects.toThrow(`${path} is no journal of a replay`);
  });

  it("that cannot be written fails what depends on it", async () => {
    const journal = await openJournal(path, options);
    await journal.close();

    await expect(journal.take([take("m-1", ["k1"])])).rejects.toThrow("closed");
    await expect(journal.sent(["m-1"])).rejects.toThrow("closed");
  });
});

/** Above the highest process id of Linux and of macOS. */
const NO_PROCESS = 2 ** 22 + 1;

async function reopened(journal: { close: () => Promise<void> }) {
  await journal.close();
  return openJournal(path, options);
}
