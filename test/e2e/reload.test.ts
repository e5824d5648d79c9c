import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { removeDataDir } from "../contract/support/cluster.ts";
import { eventually, get, query, startCommandIn } from "./support.ts";

let copy: string;
let dataDir: string;
let running: Awaited<ReturnType<typeof startCommandIn>>;
beforeAll(async () => {
  // A copy, because the test edits sources.
  copy = await mkdtemp(join(tmpdir(), "sluice-reload-"));
  dataDir = join(copy, "data");
  for (const name of ["bin", "lib", "functions", "localstack", "cdk.json", "package.json", "package-lock.json"]) {
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

async function edit(file: string, from: string, to: string): Promise<void> {
  const text = await readFile(join(copy, file), "utf8");
  expect(text).toContain(from);
  await writeFile(join(copy, file), text.replace(from, to));
}

describe("editing while it runs", () => {
  it("rebuilds and reloads a function", async () => {
    await edit("functions/query/route.ts", '{ status: "ok" }', '{ status: "edited" }');

    await eventually(
      () => get(`${running.addresses.url}/health`),
      ({ text }) => text.includes("edited"),
      20_000,
    );
  });

  it("keeps what ran when the new code does not build, and says why", async () => {
    await edit("functions/query/route.ts", "export async function healthRoute", "export async function healthRoute(");

    await eventually(
      async () => running.log.join("\n"),
      (log) => /Not reloaded: [^]*functions\/query\/route\.ts/.test(log),
      20_000,
    );
    expect((await get(`${running.addresses.url}/health`)).text).toContain("edited");
    await edit("functions/query/route.ts", "export async function healthRoute(", "export async function healthRoute");
  });

  it("applies a new migration", async () => {
    await writeFile(join(copy, "functions/sql/0002_more.sql"), "create table more (id int primary key);\n");

    await eventually(
      () => query(running.addresses.databaseUrl, "select * from more"),
      (rows) => rows.length === 0,
      20_000,
    );
  });
});
