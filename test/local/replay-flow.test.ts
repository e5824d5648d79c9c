import { randomUUID } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type SqsFaultProxy, startSqsFaultProxy } from "../support/sqs-fault-proxy.ts";
import { atCall } from "../support/dead-letter-queues.ts";
import { killAndForget, startScript } from "../support/run-script.ts";
import { eventually } from "../support/eventually.ts";
import { post } from "../support/http.ts";
import { runScript } from "../support/run-script.ts";
import { startTestRuntime, type TestRuntime } from "../support/runtime.ts";

let runtime: TestRuntime;
let proxy: SqsFaultProxy;
/** A data folder whose runtime is reached through the proxy. */
let proxied: string;
beforeAll(async () => {
  runtime = await startTestRuntime();
  proxy = await startSqsFaultProxy(runtime.addresses.awsEndpointUrl);
  proxied = join(runtime.dataDir, "proxied");
  await mkdir(proxied);
  const { queueUrl, deadLetterQueueUrl } = runtime.addresses;
  const addresses = {
    ...runtime.addresses,
    awsEndpointUrl: proxy.url,
    queueUrl: proxy.queueUrl(queueUrl),
    deadLetterQueueUrl: proxy.queueUrl(deadLetterQueueUrl),
  };
  await writeFile(join(proxied, "runtime.json"), JSON.stringify(addresses));
});
afterAll(async () => {
  await proxy?.stop();
  await runtime?.remove();
});
afterEach(() => {
  runtime.dataApiFaults.clear();
  proxy.onCall = undefined;
});

const MARK = "what the database refuses";
const refuse = () => runtime.dataApiFaults.set([{ kind: "refuse", text: MARK, sqlState: "22P05" }]);
const replay = (...args: string[]) => runScript("replay", [...args, "--data-dir", runtime.dataDir]);
const rows = (source: string) =>
  runtime.query(`select id, data::text from events where source = '${source}' order by id`);

type Listed = { id: string; reason: string; replays: number; attempts: number; tenant: string; receivedAt: string };
async function list(source: string): Promise<Listed[]> {
  const { stdout } = await runScript("dead-letters", [
    "list",
    "--json",
    "--source",
    source,
    "--data-dir",
    runtime.dataDir,
  ]);
  return stdout.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Listed]));
}

/** Posts events that the database refuses, and waits until they are dead letters. */
async function deadLetters(count: number, data: string = JSON.stringify(MARK)): Promise<string> {
  const source = `/flow/${randomUUID()}`;
  const event = (i: number) => `{"id":"${String(i).padStart(3, "0")}","source":"${source}","type":"t","data":${data}}`;
  refuse();
  expect(
    (await post(runtime.addresses.url, `[${Array.from({ length: count }, (_, i) => event(i)).join()}]`)).status,
  ).toBe(202);
  await arrivedAgain(source, count, 0);
  return source;
}

const arrivedAgain = (source: string, count: number, replays: number) =>
  eventually(
    () => list(source),
    (listed) => listed.length === count && listed.every((each) => each.replays === replays),
  );

describe("an event that is refused again", () => {
  it("comes back with its replay count raised, however it was replayed, until it is skipped", async () => {
    const source = await deadLetters(1);

    await replay("--source", source);
    await arrivedAgain(source, 1, 1);
    await replay("--all");
    const [deadLetter] = await arrivedAgain(source, 1, 2);
    const capped = await replay("--source", source, "--max-replays", "2");

    expect(deadLetter).toMatchObject({ id: "000", reason: "not_storable", tenant: "default", attempts: 1 });
    expect(capped.stdout).toContain("0 events replayed\n1 skipped: replayed 2 times or more");
    runtime.dataApiFaults.clear();
    expect(await replay("--source", source)).toMatchObject({ code: 0, stdout: "1 event replayed\n" });
    await eventually(
      () => rows(source),
      ({ length }) => length === 1,
    );
    expect(await list(source)).toEqual([]);
  });
});

describe("a replay that is killed", () => {
  it("stores each event once after --resume, and leaves no dead letter", async () => {
    const source = await deadLetters(60);
    runtime.dataApiFaults.clear();
    // One page at a time, because a page in flight at the kill stays hidden for minutes.
    const killed = startScript("replay", ["--source", source, "--rate", "100", "--data-dir", proxied]);
    atCall(proxy, "DeleteMessageBatch", 3, () => killAndForget(killed.child));
    await killed.ended;
    proxy.onCall = undefined;

    const resumed = await runScript("replay", ["--resume", "--data-dir", proxied]);

    expect(resumed).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^60 events replayed, \d0 of them before/),
    });
    await eventually(
      () => rows(source),
      ({ length }) => length === 60,
    );
    expect(await list(source)).toEqual([]);
  });
});
