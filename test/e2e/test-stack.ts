import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { ExecuteStatementCommand, RDSDataClient, type SqlParameter } from "@aws-sdk/client-rds-data";
import { DeleteMessageCommand, type Message, SQSClient } from "@aws-sdk/client-sqs";
import { inject } from "vitest";
import { eventually } from "../support/eventually.ts";
import { fetchAgain } from "../support/fetch-again.ts";
import { useKey } from "../support/http.ts";
import { callScript } from "../support/call-script.ts";
import { peekAll, queueDepth } from "../support/sqs.ts";
import { startTestRuntime } from "../support/runtime.ts";
import { deployedTarget, findDeployment, type Deployment } from "./deployment.ts";

/** A stack as its users reach it, wherever it runs. */
export type Target = {
  /** Of the API. */
  url: string;
  queueUrl: string;
  /** The beginning of every source of these tests; `close()` deletes those events. */
  source: string;
  sqs: SQSClient;
  /** An admin's key of the tenant `default`. */
  apiKey: string;
  /** A key of the installation. */
  installationKey: string;
  /** Makes a key, and its tenant if there is none of that name. */
  createKey: (settings: { tenant: string } & Record<string, unknown>) => Promise<{ id: string; key: string }>;
  /** Sends a request without any key beside those of `init`. */
  call: (path: string, init?: RequestInit) => Promise<{ status: number; headers: Headers; text: string }>;
  /** Runs SQL over the Data API; a result has a member for each column. */
  sql: (statement: string) => Promise<Record<string, unknown>[]>;
  /** The database refuses events with this text in their data, until the function that it gives back is called. */
  refuse: (text: string, sqlState: string) => Promise<() => Promise<void>>;
  /** The options that lead a command of scripts/ to this stack. */
  flags: readonly string[];
  /** Runs a command of scripts/ on this stack. */
  run: (script: string, ...args: string[]) => ReturnType<typeof callScript>;
  /** The dead letters whose body or attributes have this text; all of them can be received again. */
  deadLetters: (text: string) => Promise<Message[]>;
  /** The log of the functions so far; of a deployed stack nothing. */
  logged: () => string[];
  /** Deletes what the tests wrote to a deployed stack, or the runtime that was started for this file. */
  close: () => Promise<void>;
};

/**
 * The deployed stack that test/e2e/run.ts names, or else a runtime on this machine.
 * @param own whether the file needs a runtime that no other file uses: it looks at all dead letters, or at the log
 */
export async function openTarget({ own = false } = {}): Promise<Target> {
  const deployed = deployedTarget();
  if (deployed !== undefined) {
    const target = targetAt(await findDeployment(deployed));
    await target.prepare();
    return { ...target, close: () => target.cleanUp().finally(target.disconnect) };
  }
  const shared = own ? undefined : inject("sharedDataDir");
  if (shared !== undefined) {
    const target = await localTarget(shared);
    return { ...target, close: async () => target.disconnect() };
  }
  const runtime = await startTestRuntime();
  const target = await localTarget(runtime.dataDir);
  const close = async () => {
    target.disconnect();
    await runtime.remove();
  };
  return { ...target, logged: () => runtime.lines, close };
}

async function localTarget(dataDir: string) {
  const deployment = await findDeployment({ dataDir });
  // Below the stage's name, as in a deployed API.
  return targetAt({ ...deployment, url: `${deployment.url}/dev` });
}

function targetAt(deployment: Deployment) {
  const sqs = new SQSClient(deployment.sqs);
  const { client: config, ...names } = deployment.database;
  const database = new RDSDataClient(config);
  const source = `/e2e/${randomUUID()}`;
  const since = new Date(Date.now() - CLOCKS_DIFFER_MS).toISOString();

  useKey(deployment.url, deployment.apiKey, fetchAgain);

  const call: Target["call"] = async (path, init) => {
    const response = await fetchAgain(`${deployment.url}${path}`, init);
    return { status: response.status, headers: response.headers, text: await response.text() };
  };

  const createKey: Target["createKey"] = async ({ tenant, ...settings }) => {
    const { status, text } = await call("/keys", {
      method: "POST",
      headers: {
        authorization: `Bearer ${deployment.installationKey}`,
        "content-type": "application/json",
      },
      body: JSON.stringify({ tenant, ...settings }),
    });
    if (status !== 201) throw new Error(`The stack made no key: ${status} ${text}`);
    return JSON.parse(text) as { id: string; key: string };
  };

  const execute = (sql: string, parameters: SqlParameter[] = []) =>
    retryingWhilePaused(() => database.send(new ExecuteStatementCommand({ ...names, sql, parameters })));

  const sql = async (statement: string) => {
    const command = new ExecuteStatementCommand({ ...names, sql: statement, formatRecordsAs: "JSON" });
    const { formattedRecords = "[]" } = await retryingWhilePaused(() => database.send(command));
    return JSON.parse(formattedRecords) as Record<string, unknown>[];
  };

  const refuse = async (text: string, sqlState: string) => {
    const name = `e2e_${randomUUID().replaceAll("-", "")}`;
    await execute(
      `create function ${name}() returns trigger language plpgsql as $$ begin raise exception 'refused by a test' using errcode = '${sqlState}'; end $$`,
    );
    await execute(
      `create trigger ${name} before insert on events for each row when (position('${text}' in new.data::text) > 0) execute function ${name}()`,
    );
    return async () => void (await execute(`drop function if exists ${name}() cascade`));
  };

  const deadLetters = async (text: string) => {
    const all = await peekAll(sqs, deployment.deadLetterQueueUrl, { visibilityTimeout: 30, wait: 1 });
    return all.filter(({ Body, MessageAttributes }) => JSON.stringify([Body, MessageAttributes]).includes(text));
  };

  /** Wakes the database, and takes away what a run that was killed left in it. */
  const prepare = async () => {
    const left = await sql(
      "select proname::text from pg_proc where starts_with(proname::text, 'e2e_') and prorettype = 'trigger'::regtype",
    );
    for (const { proname } of left) await execute(`drop function if exists ${String(proname)}() cascade`);
  };

  const deleteAll = async (): Promise<number> => {
    const own = await deadLetters(source);
    for (const { ReceiptHandle } of own) {
      await sqs.send(new DeleteMessageCommand({ QueueUrl: deployment.deadLetterQueueUrl, ReceiptHandle }));
    }
    await execute("delete from dead_letters where source like :source || '%' or position(:source in body) > 0", [
      { name: "source", value: { stringValue: source } },
    ]);
    const { numberOfRecordsUpdated = 0 } = await execute(DELETE_EVENTS, [
      { name: "since", value: { stringValue: since } },
      { name: "source", value: { stringValue: source } },
    ]);
    return own.length + numberOfRecordsUpdated;
  };

  /** Events that no test waited for may still come. @throws Error that says how much the last pass still deleted */
  const cleanUp = async () => {
    await prepare();
    await untilEmpty(sqs, deployment.queueUrl);
    await eventually(deleteAll, (deleted) => deleted === 0, 60_000);
  };

  return {
    url: deployment.url,
    queueUrl: deployment.queueUrl,
    source,
    sqs,
    apiKey: deployment.apiKey,
    installationKey: deployment.installationKey,
    createKey,
    call,
    sql,
    refuse,
    flags: deployment.flags,
    run: (script: string, ...args: string[]) => callScript(script, [...args, ...deployment.flags]),
    deadLetters,
    logged: (): string[] => [],
    prepare,
    cleanUp,
    disconnect: () => {
      sqs.destroy();
      database.destroy();
    },
  };
}

/** Between this machine and the API, which says when an event was received. */
const CLOCKS_DIFFER_MS = 3_600_000;

/** Only the partitions since the start of the tests are looked through. */
const DELETE_EVENTS = `
  with deleted as (
    delete from events
    where received_at >= cast(:since as timestamptz) and starts_with(source, :source)
    returning tenant, id, source
  )
  delete from event_keys using deleted
  where (event_keys.tenant, event_keys.id, event_keys.source) = (deleted.tenant, deleted.id, deleted.source)`;

/** Aurora takes about fifteen seconds to resume from 0 ACU. */
const RESUME_TRIES = 40;
const RESUME_PAUSE_MS = 1_000;

async function retryingWhilePaused<T>(call: () => Promise<T>): Promise<T> {
  for (let left = RESUME_TRIES; ; left--) {
    try {
      return await call();
    } catch (error) {
      if (left === 0 || (error as Error).name !== "DatabaseResumingException") throw error;
      await delay(RESUME_PAUSE_MS);
    }
  }
}

/** Events of others may keep the queue from ever being empty. */
async function untilEmpty(sqs: SQSClient, queueUrl: string): Promise<void> {
  await eventually(
    () => queueDepth(sqs, queueUrl),
    (messages) => messages === 0,
    15_000,
  ).catch(() => undefined);
}
