import { mkdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { childrenOf, describeProcess } from "../../localstack/postgres/process-table.ts";
import { removeDataDir } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { get, post } from "../support/http.ts";
import { copyProject } from "../support/project-copy.ts";
import { query, startCommandIn } from "../support/runtime.ts";

let copy: string;
let dataDir: string;
let running: Awaited<ReturnType<typeof startCommandIn>>;
beforeAll(async () => {
  copy = await copyProject();
  dataDir = join(copy, "data");
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
  it("rebuilds and reloads a function, each time its file is replaced, and of the others status and console alone, which name the build", async () => {
    await edit("functions/query/endpoints.ts", '{ status: "ok" }', '{ status: "once" }');
    await eventually(
      () => get(`${running.addresses.url}/health`),
      ({ text }) => text.includes("once"),
    );
    expect(running.log.findLast((line) => line.startsWith("Reloaded"))).toMatch(
      /^Reloaded; changed functions: Query\w*, Status\w*, Console\w*$/,
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

  it("rebuilds the operator's page when one of its files is replaced, under another name where that changed", async () => {
    const read = async (path: string) => {
      const response = await fetch(`${running.addresses.url}/${path}`);
      return { status: response.status, text: await response.text() };
    };
    const page = () => read("console");
    const filesOf = (text: string) => text.match(/console\/[a-z]+-\w+\.(js|css)/g);
    const [style, script] = filesOf((await page()).text) ?? [];
    await edit("console/style.css", ":root {", ":root { --edited: 1px;");

    const { text } = await eventually(page, (answer) => answer.status === 200 && !answer.text.includes(String(style)));

    const [newStyle, sameScript] = filesOf(text) ?? [];
    expect(sameScript).toBe(script);
    expect((await read(String(newStyle))).text).toContain("--edited");
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
    expect(running.log.filter((line) => line.startsWith("Reloaded"))).toHaveLength(1);
  });

  it("does not reload for the hidden files of editors and macOS", async () => {
    running.log.length = 0;
    await writeFile(join(copy, "catalog/._order-placed.ts"), "\u0000");
    await symlink("user@host.1:2", join(copy, "catalog/.#order-placed.ts"));

    // Longer than the watcher waits for a change to settle.
    await delay(1_000);
    expect(running.log).toEqual([]);
  });

  it("keeps the event types that ran when a file of catalog/ has a fault, and names the file and the fault", async () => {
    const { url } = running.addresses;
    running.log.length = 0;

    await writeFile(join(copy, "catalog/broken.ts"), "export const typ = 'broken';\n");

    await said("Not reloaded:");
    await said("catalog/broken.ts exports `typ`; did you mean `type`?");
    expect(running.log.filter((line) => /^Reloaded|^ {4}at /.test(line))).toEqual([]);
    expect((await post(url, { type: "com.example.note", source: "/reload", data: {} })).status).toBe(202);
    await rm(join(copy, "catalog/broken.ts"));
    await said("Reloaded");
  });

  it("answers an event whose schema throws with a verdict, and names the file in one log line", async () => {
    const { url } = running.addresses;
    running.log.length = 0;
    await writeFile(
      join(copy, "catalog/throwing.ts"),
      'import * as z from "zod";\nexport const type = "throwing";\nexport const data = z.string().refine((text) => JSON.parse(text));\n',
    );
    await said("Reloaded");
    const throwing = { source: "/reload", type: "throwing", data: "secret" };

    const { status, body } = await post(url, [{ ...throwing, data: "1" }, throwing, throwing]);

    expect(status).toBe(207);
    expect(body.results?.map((each) => each.status)).toEqual(["accepted", "invalid", "invalid"]);
    expect(JSON.stringify(body)).toContain("schema_failed");
    await said('"schema failed"');
    const lines = running.log.filter((line) => line.includes('"schema failed"'));
    expect(lines).toEqual([expect.stringContaining('"file":"catalog/throwing.ts"')]);
    expect(lines[0]).toContain("catalog/throwing.ts:3");
    expect(lines[0]).not.toContain("secret");
    await rm(join(copy, "catalog/throwing.ts"));
  });

  it("applies a new migration", async () => {
    await writeFile(join(copy, "functions/sql/9999_more.sql"), "create table more (id int primary key);\n");

    await eventually(
      () => query(running.addresses.databaseUrl, "select * from more"),
      (rows) => rows.length === 0,
    );
  });
});
