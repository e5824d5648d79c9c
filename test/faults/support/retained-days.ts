import { setTimeout as delay } from "node:timers/promises";
import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { inject } from "vitest";
import { createArchiveFiles } from "../../../functions/adapters/s3/archive-files.ts";
import { ENVELOPE_VERSION } from "../../../functions/core/envelope.ts";
import { findManifest, listManifests, readPart } from "../../../functions/core/read-archive.ts";
import { readAssembly } from "../../../localstack/template/assembly.ts";
import { readStack } from "../../../localstack/template/read-stack.ts";
import { allOf } from "../../support/all-of.ts";
import { eventually } from "../../support/eventually.ts";
import { daysAgo } from "../../support/retention.ts";
import { s3Client } from "../../support/s3.ts";
import { queueDepth } from "../../support/sqs.ts";
import type { FaultStack } from "./fault-stack.ts";

/** Days of the class `7d` of a stack that archives: filled as by ingest of that time, worked on, and read in the archive. */
export async function retainedDays(stack: () => FaultStack) {
  const { queues, buckets } = readStack(await readAssembly(inject("assemblyDir")), { sqsEndpoint: "http://127.0.0.1" });
  const steps = queues.find(({ logicalId, redrive }) => logicalId.startsWith("RetainQueue") && redrive !== undefined);
  const bucket = buckets.find(({ logicalId }) => logicalId.startsWith("RetainArchive"))?.name ?? "";

  const send = async (url: string, body: string, group: string) => {
    const { client } = stack().queue;
    await client.send(new SendMessageCommand({ QueueUrl: url, MessageBody: body, MessageGroupId: group }));
  };

  const stepsUrl = () => `${stack().addresses.awsEndpointUrl}/000000000000/${steps?.name}`;

  return {
    /** Puts events on the queue that were received so many days ago, and waits until they are stored; returns each as it reads. */
    async fill(age: number, count: number): Promise<string[]> {
      // A step that is left would drop the day before all of it is there.
      await eventually(
        () => queueDepth(stack().queue.client, stepsUrl()),
        (depth) => depth === 0,
        PATIENCE_MS,
      );
      const receivedAt = receivedOn(age);
      for (let first = 0; first < count; first += PER_MESSAGE) {
        const events = Array.from({ length: Math.min(PER_MESSAGE, count - first) }, (_, at) => ({
          id: `day-${age}-${first + at}`,
          source: "/faults/retention",
          type: "com.example.fault",
          time: receivedAt,
          data: { at: first + at, text: `'"\\ ${age}` },
        }));
        await this.put(age, events);
      }
      return eventually(
        () => this.stored(age),
        (events) => events.length === count,
        PATIENCE_MS,
      );
    },

    /** Puts events on the queue as ingest of that day would. */
    async put(age: number, events: object[]): Promise<void> {
      const receivedAt = receivedOn(age);
      const envelope = { version: ENVELOPE_VERSION, tenant: TENANT, receivedAt, retention: 7, events };
      await send(stack().queue.url, JSON.stringify(envelope), TENANT);
    },

    /** Each event of a day, as it reads. */
    async stored(age: number): Promise<string[]> {
      const rows = await stack().ask<{ json: string }>(
        `select event_json(e) as json from events as e
         where cast(received_at at time zone 'UTC' as date) = cast($1 as date) and source = '/faults/retention'`,
        [daysAgo(age)],
      );
      return rows.map(({ json }) => json).toSorted();
    },

    /** Each event of a day that the archive has, as it was read. */
    async archived(age: number): Promise<string[]> {
      const client = s3Client(stack().addresses.s3Url ?? "");
      try {
        const files = createArchiveFiles({ client, bucket });
        const lines: string[] = [];
        for (const key of await allOf(listManifests(files, { from: daysAgo(age), to: daysAgo(age) }))) {
          const manifest = await findManifest(files, key);
          for (const part of manifest.parts) lines.push(...(await readPart(files, manifest, part)));
        }
        return lines.map((line) => line.replace(/,"storedat":"[^"]+"\}$/, "}")).toSorted();
      } finally {
        client.destroy();
      }
    },

    /** Sends the message of a step, as the daily run does. */
    run: () => send(stepsUrl(), "{}", "retention"),

    stateOf: (age: number) => stateOf(stack(), age),

    /** Has a day that waits to be tried again go on at once, until it is dropped. */
    async goOn(age: number): Promise<{ keys: number }> {
      const over = new AbortController();
      const pushing = (async () => {
        while (!over.signal.aborted) {
          await stack().ask("update retention_days set retry_at = null where retry_at is not null");
          await this.run();
          await delay(PUSH_EVERY_MS);
        }
      })();
      try {
        return await this.dropped(age);
      } finally {
        over.abort();
        await pushing;
      }
    },

    /** Waits until a day is dropped, and says how many keys of it are left. */
    async dropped(age: number): Promise<{ keys: number }> {
      await eventually(
        () => stateOf(stack(), age),
        (day) => day?.state === "dropped",
        PATIENCE_MS,
      );
      const [left] = await stack().ask<{ keys: number }>(
        "select count(*)::int as keys from event_keys where cast(received_at at time zone 'UTC' as date) = cast($1 as date) and retention = 7",
        [daysAgo(age)],
      );
      return { keys: left?.keys ?? Number.NaN };
    },
  };
}

async function stateOf(stack: FaultStack, age: number): Promise<{ state: string; fault: string | null } | undefined> {
  const rows = await stack.ask<{ state: string; fault: string | null }>(
    "select state, fault from retention_days where class = 7 and day = cast($1 as date)",
    [daysAgo(age)],
  );
  return rows[0];
}

const receivedOn = (age: number) => `${daysAgo(age)}T12:00:00.000Z`;

const TENANT = "default";
const PER_MESSAGE = 500;
const PUSH_EVERY_MS = 3_000;
const PATIENCE_MS = 200_000;
