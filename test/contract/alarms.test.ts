import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { describe, expect, it, onTestFinished } from "vitest";
import { createAlarmReader } from "../../functions/adapters/cloudwatch/alarms.ts";
import { soon } from "../support/database.ts";

const TOPIC = "arn:aws:sns:eu-west-1:123456789012:Sluice-prod-AlarmTopic";

type Alarm = Record<string, unknown>;

const alarm = (name: string, changes: Alarm = {}): Alarm => ({
  AlarmName: name,
  AlarmActions: [TOPIC],
  StateValue: "OK",
  StateReason: "Threshold Crossed",
  StateUpdatedTimestamp: 1_796_030_000,
  ...changes,
});

/** A server that answers as CloudWatch does: one page after the other. */
async function cloudWatch(pages: { MetricAlarms?: Alarm[]; CompositeAlarms?: Alarm[] }[], status = 200) {
  const asked: Alarm[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      asked.push(JSON.parse(Buffer.concat(chunks).toString("utf8")) as Alarm);
      const next = asked.length < pages.length ? { NextToken: `page-${asked.length}` } : {};
      response.writeHead(status, { "content-type": "application/x-amz-json-1.0" });
      response.end(JSON.stringify({ ...pages[asked.length - 1], ...next }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const client = new CloudWatchClient({
    region: "eu-west-1",
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials: { accessKeyId: "a", secretAccessKey: "b" },
    maxAttempts: 1,
  });
  onTestFinished(() => {
    client.destroy();
    server.close();
  });
  return { asked, reader: createAlarmReader({ client, topicArn: TOPIC }) };
}

describe("the reader of alarms", () => {
  it("reads every page of the alarms that notify the stack's topic, the composite ones too", async () => {
    const { asked, reader } = await cloudWatch([
      { MetricAlarms: [alarm("a", { StateValue: "ALARM", StateTransitionedTimestamp: 1_796_029_000.5 })] },
      {
        MetricAlarms: [
          alarm("of a longer topic", { AlarmActions: [`${TOPIC}-2`] }),
          alarm("part", { AlarmActions: [] }),
        ],
        CompositeAlarms: [alarm("b", { StateValue: "INSUFFICIENT_DATA", AlarmDescription: "Slow." })],
      },
    ]);

    expect(await reader.read(soon())).toEqual([
      { name: "a", description: undefined, state: "alarm", reason: "Threshold Crossed", since: 1_796_029_000_500 },
      {
        name: "b",
        description: "Slow.",
        state: "insufficientData",
        reason: "Threshold Crossed",
        since: 1_796_030_000_000,
      },
    ]);
    const filter = { ActionPrefix: TOPIC, AlarmTypes: ["MetricAlarm", "CompositeAlarm"] };
    expect(asked).toEqual([filter, { ...filter, NextToken: "page-1" }]);
  });

  it.each([
    ["without an alarm of the stack, which has many", [{ MetricAlarms: [alarm("x", { AlarmActions: [] })] }], 200],
    ["that refuses the call", [{}], 403],
  ] as const)("fails for an answer %s", async (_name, pages, status) => {
    const { reader } = await cloudWatch([...pages] as Parameters<typeof cloudWatch>[0], status);

    await expect(reader.read(soon())).rejects.toThrow(Error);
  });

  it("does not wait behind its deadline", async () => {
    const server = createServer(() => undefined);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const client = new CloudWatchClient({
      region: "eu-west-1",
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      credentials: { accessKeyId: "a", secretAccessKey: "b" },
    });
    onTestFinished(() => {
      client.destroy();
      server.closeAllConnections();
      server.close();
    });

    await expect(createAlarmReader({ client, topicArn: TOPIC }).read(Date.now() + 100)).rejects.toThrow(/abort/i);
  });
});
