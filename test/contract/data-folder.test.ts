import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { takeDataFolder } from "../../localstack/data-folder.ts";

let folder: string;
let lock: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-folder-"));
  lock = join(folder, "runtime.pid");
});
afterEach(() => rm(folder, { recursive: true }));

describe("a data folder", () => {
  it("a data folder is locked by exactly one of ten callers, and by the next one when it is released", async () => {
    const asked = await Promise.allSettled(Array.from({ length: 10 }, () => takeDataFolder(folder, false)));

    const taken = asked.filter((each) => each.status === "fulfilled");
    const refused = asked.find((each) => each.status === "rejected");
    expect(taken).toHaveLength(1);
    expect(String(refused?.reason)).toContain(`${folder} is in use by process ${process.pid}`);

    await taken[0]?.value();
    await takeDataFolder(folder, false);
  });

  it("a data folder may be locked although its lock names a running process that did not make the lock", async () => {
    const other = spawn("sleep", ["60"]);
    await once(other, "spawn");
    try {
      for (const left of [JSON.stringify({ pid: other.pid, started: "another boot 1" }), String(other.pid), "", "{"]) {
        await writeFile(lock, left);

        const giveBack = await takeDataFolder(folder, false);

        expect(JSON.parse(await readFile(lock, "utf8"))).toMatchObject({ pid: process.pid });
        await giveBack();
        expect(await readdir(folder)).toEqual([]);
      }
    } finally {
      other.kill();
    }
  });
});
