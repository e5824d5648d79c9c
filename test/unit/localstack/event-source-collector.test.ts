import { describe, expect, it } from "vitest";
import { createBatch } from "../../../localstack/event-source/batch.ts";
import { createCollector } from "../../../localstack/event-source/collector.ts";
import { toRecord } from "../../../localstack/event-source/record.ts";

const SOURCE = { queueArn: "arn:aws:sqs:us-east-1:000000000000:events", region: "us-east-1" };

describe("a collector", () => {
  it("a collector that is stopped after SQS failed does not say that SQS answers again", async () => {
    const stop = new AbortController();
    const lines: string[] = [];
    const collector = createCollector({
      queue: { receive: () => Promise.reject(new Error("refused")), release: async () => undefined },
      newBatch: () => createBatch(10, (message) => toRecord(message, SOURCE)),
      windowSeconds: 0,
      stopping: stop.signal,
      hangUp: new AbortController().signal,
      log: (line) => {
        lines.push(line);
        // The pause before the next attempt has begun by then.
        setImmediate(() => stop.abort());
      },
    });

    expect(await collector.next()).toBeUndefined();

    expect(lines).toEqual(["SQS does not answer (Error: refused); trying again"]);
  });
});
