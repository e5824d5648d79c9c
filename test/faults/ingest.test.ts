import { afterAll, beforeAll, describe, expect } from "vitest";
import type { SqsFault } from "../contract/support/sqs-fault-proxy.ts";
import { get } from "../e2e/support.ts";
import { outcomesOf } from "./checker/answer-outcomes.ts";
import { batchLines } from "./support/batch-lines.ts";
import type { SentEvent } from "./support/client.ts";
import { faultCase, type Scene, sized } from "./support/fault-case.ts";
import { startWorld, type World } from "./support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({ visibilitySeconds: 10, windowSeconds: 0, ingestTimeoutSeconds: 7 });
});
afterAll(() => world?.remove());

const MIB = 1024 * 1024;
/** Four to a message, so that a request of sixteen takes four calls of the queue. */
const LARGE = 240_000;
const large = (scene: Scene, count: number) =>
  scene.events(count, (index) => ({ index, text: "x".repeat(LARGE), mark: `<${index}>` }));
const onSend = (fault: Pick<SqsFault, "kind" | "calls"> & { kind: "unavailable" | "dropAfter" }): SqsFault => ({
  ...fault,
  action: "SendMessageBatch",
});
const verdicts = (body: unknown) => (body as { results: { status: string }[] }).results.map(({ status }) => status);

describe("the queue's answer to the door", () => {
  faultCase(
    "F11",
    "some entries of a send answered as Failed",
    () => world,
    async (scene) => {
      const failed = new Set<string>();
      const requests = Array.from({ length: sized(4, 40) }, () => large(scene, 16));
      world.sqs.setFaults({
        kind: "failEntries",
        action: "SendMessageBatch",
        entries: ({ MessageBody: body = "" }) => {
          // By its content, so that the same message fails however often it is sent.
          const ids = (JSON.parse(body) as { events: SentEvent[] }).events.map(({ id }) => id);
          if ((ids[0]?.charCodeAt(0) ?? 0) % 2 === 0) return false;
          for (const id of ids) failed.add(id);
          return true;
        },
      });

      const answers = await Promise.all(requests.map(async (events) => ({ events, answer: await scene.post(events) })));

      expect(failed.size).toBeGreaterThan(0);
      for (const { events, answer } of answers) {
        const expected = events.map(({ id }) => (failed.has(id) ? "retry" : "accepted"));
        const [retry, accepted] = [expected.includes("retry"), expected.includes("accepted")];
        expect(verdicts(answer?.body)).toEqual(expected);
        expect(answer?.status).toBe(retry ? (accepted ? 207 : 503) : 202);
      }
      world.sqs.setFaults();
      await scene.deliver(
        requests.flat().filter(({ id }) => failed.has(id)),
        { perRequest: 16 },
      );
      scene.note(`${failed.size} events to be sent again`);
    },
  );

  faultCase(
    "F12",
    "send stored, its answer lost",
    () => world,
    async (scene) => {
      const from = world.lines.length;
      const lost = sized(6, 200);
      world.sqs.setFaults(onSend({ kind: "dropAfter", calls: lost }));
      await scene.deliver(scene.events(sized(120, 10_000)), { perRequest: 10 });
      await scene.atRest();
      const duplicates = batchLines(world, from).reduce((sum, { EventsDuplicate: copies }) => sum + copies, 0);
      expect(duplicates).toBeGreaterThan(0);
      scene.note(`${lost} answers lost, ${duplicates} copies recognized`);
    },
  );

  faultCase(
    "F13",
    "queue unavailable",
    () => world,
    async (scene) => {
      world.sqs.setFaults(onSend({ kind: "unavailable" }));
      const until = Date.now() + sized(1, 30_000);
      const refused: SentEvent[] = [];
      do {
        const requests = Array.from({ length: 4 }, () => scene.events(5));
        for (const answer of await Promise.all(requests.map((events) => scene.post(events)))) {
          expect(answer).toMatchObject({ status: 503, body: { code: "queue_unavailable" } });
          expect(Number(answer?.headers.get("retry-after"))).toBeGreaterThan(0);
        }
        refused.push(...requests.flat());
      } while (Date.now() < until);
      expect(world.sqs.calls.filter(({ action }) => action === "SendMessageBatch")).not.toEqual([]);
      world.sqs.setFaults();
      await scene.deliver(refused);
      scene.note(`${refused.length} events refused with 503, then delivered`);
    },
  );
});

describe("a door that is killed", () => {
  faultCase(
    "F14",
    "ingest killed after some of its sends",
    () => world,
    async (scene) => {
      const most = sized(2, 20);
      let kills = 0;
      world.failpoints.order(({ stage, point, count }) => {
        if (stage !== "ingest" || point !== "afterSend" || count % 3 !== 0 || kills === most) return "go";
        kills += 1;
        return "kill";
      });
      const unanswered: unknown[] = [];
      await scene.deliver(large(scene, sized(48, 640)), {
        perRequest: 16,
        connections: 2,
        onAnswer: (answer) => unanswered.push(...(outcomesOf(answer) === "indeterminate" ? [answer] : [])),
      });
      expect(kills).toBeGreaterThan(0);
      expect(unanswered.length).toBeGreaterThan(0);
      scene.note(`${kills} kills, ${unanswered.length} requests without a verdict`);
    },
  );
});

describe("large events", () => {
  faultCase(
    "F20",
    "messages filled to the limit of 1 MiB, in bytes of more than one per character",
    () => world,
    async (scene) => {
      const sends = () => world.sqs.calls.filter(({ action }) => action === "SendMessageBatch");
      const bodies = () =>
        sends().map(({ entries }) => entries.map(({ MessageBody: body = "" }) => Buffer.byteLength(body)));
      const filled = (bytes: readonly number[]) =>
        scene.events(bytes.length, (index) => ({ index, text: "é".repeat(Math.floor((bytes[index] ?? 0) / 2)) }));
      world.sqs.setFaults();
      await scene.post(filled([1_000, 1_000, 1_000, 1_000, 1_000]));
      const overhead = (bodies()[0]?.[0] ?? 0) - 5_000;
      expect(overhead).toBeGreaterThan(0);

      const edges = [-8_192 - 64, -8_192, -8_192 + 64, -300, -200, -120, -64, -2, 0, 2, 64];
      for (const edge of edges) {
        world.sqs.setFaults();
        const last = MIB + edge - overhead - 4 * 250_000;
        const answer = await scene.post(filled([250_000, 250_000, 250_000, 250_000, last]));
        expect(answer?.status).toBe(202);
        const batches = bodies();
        expect(batches.flat().length).toBeGreaterThan(0);
        expect(Math.max(...batches.flat())).toBeLessThanOrEqual(MIB);
        expect(Math.max(...batches.map((batch) => batch.reduce((sum, bytes) => sum + bytes, 0)))).toBeLessThanOrEqual(
          MIB,
        );
      }
    },
  );

  faultCase(
    "F21",
    "events over 64 KB are read as they were sent",
    () => world,
    async (scene) => {
      const events = scene.events(sized(6, 60), (index) => ({
        index,
        text: 'a "quoted" é 𝄞 '.repeat(5_000 + 1_000 * (index % 6)),
      }));
      await scene.deliver(events, { perRequest: 3 });
      await scene.atRest();
      for (const { id, data } of events) {
        const read = await get(`${world.addresses.url}/events/${id}`);
        expect(read.text.length).toBeGreaterThan(64 * 1_024);
        expect(read.body.data).toEqual(data);
      }
    },
  );
});
