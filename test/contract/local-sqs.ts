import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SQSClient } from "@aws-sdk/client-sqs";
import type { QueueModel } from "../../localstack/template/model.ts";

/** A queue as the template would describe it. */
export function queueModel(changes: Partial<QueueModel> = {}): QueueModel {
  const name = changes.name ?? "events";
  return {
    logicalId: name,
    name,
    arn: arnOf(name),
    visibilityTimeoutSeconds: 30,
    messageRetentionSeconds: 345_600,
    maximumMessageSizeBytes: undefined,
    receiveWaitSeconds: 0,
    delaySeconds: 0,
    redrive: undefined,
    ...changes,
  };
}

export function arnOf(queueName: string): string {
  return `arn:aws:sqs:us-east-1:000000000000:${queueName}`;
}

export function sqsClient(endpoint: string): SQSClient {
  const credentials = { accessKeyId: "local", secretAccessKey: "local" };
  return new SQSClient({ endpoint, region: "us-east-1", credentials, maxAttempts: 1 });
}

export async function temporaryFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "sluice-test-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** Asks until the answer is not undefined; fails with `what` when the deadline passes. */
export async function eventually<Fact>(
  what: string,
  ask: () => Promise<Fact | undefined> | Fact | undefined,
  deadlineMilliseconds = 8000,
): Promise<Fact> {
  const deadline = performance.now() + deadlineMilliseconds;
  for (;;) {
    const fact = await ask();
    if (fact !== undefined) return fact;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${deadlineMilliseconds} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
