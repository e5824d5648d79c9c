import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ownerOf, takeDataFolder } from "../../localstack/data-folder.ts";

let folder: string;
let owner: string;
const children: ChildProcess[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-folder-"));
  owner = join(folder, "runtime.pid");
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  await rm(folder, { recursive: true });
});

const MODULE = resolve("localstack/data-folder.ts");

/** Processes with process ids of their own, like those of a container that has the same checkout. */
const CONTAINER = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"];
const hasContainers = spawnSync(CONTAINER[0] ?? "", [...CONTAINER.slice(1), "true"]).status === 0;

/** Takes the folder in another process, and holds it until that is killed; throws the error that refuses it. */
async function takeElsewhere(fresh: boolean, container: string[] = []): Promise<ChildProcess> {
  const script = `
    const { takeDataFolder } = await import(${JSON.stringify(MODULE)});
    try { await takeDataFolder(${JSON.stringify(folder)}, ${fresh}); console.log("taken"); setInterval(() => {}, 1000); }
    catch (error) { console.log(error.message); }`;
  const [program, ...words] = [...container, process.execPath, "--input-type=module", "-e", script];
  const child = spawn(program, words, { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  const [line] = (await once(child.stdout.setEncoding("utf8"), "data")) as [string];
  if (line.trim() !== "taken") throw new Error(line.trim());
  return child;
}

describe("a data folder", () => {
  it("a data folder is locked by exactly one of ten callers, and by the next one when it is released", async () => {
    const asked = await Promise.allSettled(Array.from({ length: 10 }, () => takeDataFolder(folder, false)));

    const taken = asked.filter((each) => each.status === "fulfilled");
    const refused = asked.find((each) => each.status === "rejected");
    expect(taken).toHaveLength(1);
    expect(String(refused?.reason)).toContain(`${folder} is in use by process ${process.pid}`);

    await taken[0]?.value();
    await (await takeDataFolder(folder, false))();
  });

  it("a data folder may be locked although its files name a running process that did not lock it", async () => {
    const other = spawn("sleep", ["60"]);
    children.push(other);
    await once(other, "spawn");
    for (const left of [JSON.stringify({ pid: other.pid, started: "another boot 1" }), String(other.pid), "", "{"]) {
      await writeFile(owner, left);

      const giveBack = await takeDataFolder(folder, false);

      expect(JSON.parse(await readFile(owner, "utf8"))).toMatchObject({ pid: process.pid });
      expect(await ownerOf(folder)).toEqual({ pid: process.pid, isHere: true });
      await giveBack();
      expect(await ownerOf(folder)).toBeUndefined();
      expect(await readdir(folder)).toEqual(["runtime.lock"]);
    }
  });

  it("a data folder of a process that was killed may be locked, and is emptied only on request", async () => {
    const killed = await takeElsewhere(false);
    await writeFile(join(folder, "events"), "one");
    killed.kill("SIGKILL");
    await once(killed, "exit");

    await (await takeDataFolder(folder, false))();
    expect(await readdir(folder)).toContain("events");
    await (await takeDataFolder(folder, true))();

    expect(await readdir(folder)).toEqual(["runtime.lock"]);
  });

  it("a data folder keeps its files and the name of its owner when it refuses another process", async () => {
    await takeElsewhere(false);
    await writeFile(join(folder, "events"), "one");
    const before = await readFile(owner, "utf8");

    await expect(takeDataFolder(folder, true)).rejects.toThrow(`${folder} is in use by process`);

    expect(await readdir(folder)).toEqual(["events", "runtime.lock", "runtime.pid"]);
    expect(await readFile(owner, "utf8")).toBe(before);
  });

  it("a folder with files that was never a data folder is not emptied", async () => {
    await writeFile(join(folder, "thesis.txt"), "years of work");

    await expect(takeDataFolder(folder, true)).rejects.toThrow(`${folder} has files and is no data folder of Sluice`);

    expect(await readdir(folder)).toEqual(["thesis.txt"]);
  });

  it("a data folder stays locked while its owner is stopped, as on a laptop that sleeps", async () => {
    const sleeping = await takeElsewhere(false);
    sleeping.kill("SIGSTOP");

    await expect(takeDataFolder(folder, true)).rejects.toThrow(`in use by process ${sleeping.pid}`);
  });
});

describe.runIf(hasContainers)("a data folder that containers share", () => {
  it("a data folder that containers share is refused to one while another process has it", async () => {
    const release = await takeDataFolder(folder, false);
    await writeFile(join(folder, "events"), "one");

    await expect(takeElsewhere(true, CONTAINER)).rejects.toThrow(
      `${folder} is in use by process ${process.pid} of another container`,
    );

    expect(await readdir(folder)).toEqual(["events", "runtime.lock", "runtime.pid"]);
    await release();
  });

  it("a data folder that containers share is one's until that ends, although its process id is another's here", async () => {
    const container = await takeElsewhere(false, CONTAINER);
    expect(await ownerOf(folder)).toEqual({ pid: 1, isHere: false });
    await expect(takeDataFolder(folder, true)).rejects.toThrow("in use by process 1 of another container");

    container.kill("SIGKILL");
    await once(container, "exit");

    await (await takeDataFolder(folder, false))();
  });
});
