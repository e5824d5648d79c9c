import { cp, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { childrenOf, describeProcess } from "../../localstack/postgres/process-table.ts";
import { removeDataDir } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { get } from "../support/http.ts";
import { query, startCommandIn } from "../support/runtime.ts";

let copy: string;
let dataDir: string;
let running: Awaited<ReturnType<typeof startCommandIn>>;
beforeAll(async () => {
  // A copy, because the test edits sources.
  copy = await mkdtemp(join(tmpdir(), "sluice-reload-"));
  dataDir = join(copy, "data");
  for (const name of [
    "bin",
    "lib",
    "functions",
    "catalog",
    "localstack",
    "cdk.json",
    "package.json",
    "package-lock.json",
  ]) {
    await cp(name, join(copy, name), { recursive: true });
  }
  await symlink(resolve("node_modules"), join(copy, "node_modules"));
  await mkdir(dataDir);
  running = await startCommandIn(copy, dataDir);
});
afterAll(async () => {
  running?.child.kill("SIGINT");
  await running?.exitCode;
  await removeDataDir(dataDir);
  await rm(copy, { recursive: true, force: true });
});

/** Saves as most editors do: a new file that takes the name of the old one. */
async function edit(file: string, from: string, to: string): Promise<void> {
  const text = await readFile(join(copy, file), "utf8");
  expect(text).toContain(from);
  await writeFile(join(copy, `${file}.new`), text.replace(from, to));
  await rename(join(copy, `${file}.new`), join(copy, file));
}

const said = (text: string) =>
  eventually(
    async () => running.log,
    (lines) => lines.some((line) => line.includes(text)),
  );

describe("editing while it runs", () => {
  it("rebuilds and reloads a function, each time its file is replaced, and no other function", async () => {
    await edit("functions/query/endpoints.ts", '{ status: "ok" }', '{ status: "once" }');
    await eventually(
      () => get(`${running.addresses.url}/health`),
      ({ text }) => text.includes("once"),
    );
    expect(running.log.findLast((line) => line.startsWith("Reloaded"))).toMatch(
      /^Reloaded; changed functions: Query\w*$/,
    );
    await edit("functions/query/endpoints.ts", '{ status: "once" }', '{ status: "edited" }');

    await eventually(
      () => get(`${running.addresses.url}/health`),
      ({ text }) => text.includes("edited"),
    );
  });

  it("keeps what ran when the new code does not build, and says why", async () => {
    await edit(
      "functions/query/endpoints.ts",
      "export function createQueryEndpoints",
      "export function createQueryEndpoints(",
    );

    await eventually(
      async () => running.log.join("\n"),
      (log) => /Not reloaded: [^]*functions\/query\/endpoints\.ts/.test(log),
    );
    expect((await get(`${running.addresses.url}/health`)).text).toContain("edited");
    await edit(
      "functions/query/endpoints.ts",
      "export function createQueryEndpoints(",
      "export function createQueryEndpoints",
    );
  });

  it("says what takes effect only at the next start", async () => {
    await edit("lib/event-queue.ts", "Duration.days(QUEUE_RETENTION_DAYS)", "Duration.days(QUEUE_RETENTION_DAYS - 1)");

    await said("Reloaded; changed functions: none");
    await said("Restart to apply");
    expect(running.log).toContain("Restart to apply what changed in: queues");
    await edit("lib/event-queue.ts", "Duration.days(QUEUE_RETENTION_DAYS - 1)", "Duration.days(QUEUE_RETENTION_DAYS)");
  });

  it("keeps the files of the code that runs, however many reloads fail after it", async () => {
    for (const attempt of [1, 2]) {
      running.log.length = 0;
      await writeFile(join(copy, "functions/sql/9999_bad.sql"), `select no_such_function_${attempt}();\n`);
      await edit("functions/query/endpoints.ts", "{ status: ", `{ attempt${attempt}: true, status: `);
      await said("Not reloaded:");
      await said(`no_such_function_${attempt}`);
    }
    for (const pid of childrenOf(running.child.pid ?? 0)) {
      if (describeProcess(pid)?.command.includes("bootstrap.mjs")) process.kill(pid, "SIGKILL");
    }

    const health = await eventually(
      () => get(`${running.addresses.url}/health`),
      ({ status }) => status === 200,
    );

    expect(health.text).not.toContain("attempt");
    await rm(join(copy, "functions/sql/9999_bad.sql"));
  });

  it("takes over the event type of the README, which is one more file", async () => {
    const [, name = "", code = ""] =
      /```ts\n\/\/ catalog\/(\S+)\n([^`]*)```/.exec(await readFile("README.md", "utf8")) ?? [];

    running.log.length = 0;
    await writeFile(join(copy, "catalog", name), code);

    const type = /type = "([^"]+)"/.exec(code)?.[1] ?? "";
    await eventually(
      () => get(`${running.addresses.url}/schemas/${type}`),
      ({ status, text }) => status === 200 && text.includes("userId"),
    );
    await said("Reloaded");
    // Longer than the watcher waits for a change to settle: a synthesis must not write into the watched folders.
    await delay(1_000);
    expect(running.log.filter((line) => line.startsWith("Synthesizing"))).toHaveLength(1);
  });

  it("applies a new migration", async () => {
    await writeFile(join(copy, "functions/sql/9999_more.sql"), "create table more (id int primary key);\n");

    await eventually(
      () => query(running.addresses.databaseUrl, "select * from more"),
      (rows) => rows.length === 0,
    );
  });
});
