import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { PIPELINE_METRICS } from "../../bench/cost/watching.ts";
import { readAssembly } from "../../localstack/template/assembly.ts";
import { minutesOn } from "../support/cloudwatch/alarms.ts";
import { keyOf } from "../support/cloudwatch/datapoints.ts";
import { eventually } from "../support/eventually.ts";
import { call, post } from "../support/http.ts";
import { LOCAL_AWS } from "../support/local-aws.ts";
import { startTestRuntime, type TestRuntime } from "../support/runtime.ts";

type Template = Parameters<typeof minutesOn>[0];

let runtime: TestRuntime;
let template: Template;
beforeAll(async () => {
  runtime = await startTestRuntime();
  ({ template } = (await readAssembly(inject("assemblyDir"))) as unknown as { template: Template });
});
afterAll(() => runtime?.remove());

const valuesOf = (name: string) => runtime.datapoints.filter((each) => each.name === name);

/** True if an alarm is on behind the lines so far, each in a minute of its own. */
function isOn(alarm: string, name: string): boolean {
  const id = Object.keys(template.Resources).find((each) => each.startsWith(alarm)) ?? "";
  const spread = valuesOf(name).map((each, index) => ({ ...each, at: index * 60_000 }));
  return minutesOn(template, id, spread, { from: 0, minutes: spread.length }).includes(spread.length - 1);
}

describe("the metric lines of this machine", () => {
  it("the alarm about dead letters goes off by the lines of drain, and ends by those of a discard", async () => {
    const client = new SQSClient({ ...LOCAL_AWS, endpoint: runtime.addresses.awsEndpointUrl });
    await client.send(
      new SendMessageCommand({ QueueUrl: runtime.addresses.deadLetterQueueUrl, MessageBody: "no envelope" }),
    );
    client.destroy();
    await eventually(
      () => valuesOf("OpenDeadLetters"),
      (values) => values.length > 0,
    );
    expect(isOn("DrainDeadLettersAlarm", "OpenDeadLetters")).toBe(true);

    const discard = await call(`${runtime.addresses.url}/dead-letters/discard`, {
      method: "POST",
      headers: { authorization: `Bearer ${runtime.addresses.installationKey}`, "content-type": "application/json" },
      body: JSON.stringify({ openedTo: "2100-01-01T00:00:00Z", note: "a test" }),
    });

    expect(discard.status, await discard.text()).toBe(202);
    await eventually(
      () => isOn("DrainDeadLettersAlarm", "OpenDeadLetters"),
      (stillOn) => !stillOn,
    );
  });

  it("the lines of ingest and consume have as many metrics as their price counts, and the lag of the batch", async () => {
    const event = { id: "watching-1", source: "/watching", type: "com.example.watched", data: {} };
    expect((await post(runtime.addresses.url, event)).status).toBe(202);
    await eventually(
      () => valuesOf("StoreLagSeconds"),
      (values) => values.length > 0,
    );
    const ofPipeline = runtime.datapoints.filter(({ dimensions }) =>
      ["ingest", "consume"].includes(String(dimensions["service"])),
    );

    expect([...new Set(ofPipeline.map(keyOf))].toSorted()).toHaveLength(PIPELINE_METRICS);
    for (const { value } of valuesOf("StoreLagSeconds")) {
      expect(value).toBeGreaterThan(0);
      expect(value).toBeLessThan(60);
    }
  });
});
