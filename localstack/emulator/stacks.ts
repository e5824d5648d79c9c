import { setTimeout as delay } from "node:timers/promises";
import { authorization } from "./health.ts";

const DELETED_WITHIN_MS = 120_000;
const POLL_MS = 500;

/**
 * Refuses an emulator that already has our stack from another session, with another database.
 * @throws Error that says how to delete the stack
 */
export async function refuseStack(endpoint: string, name: string): Promise<void> {
  if (!(await exists(endpoint, name))) return;
  throw new Error(
    `The emulator at ${endpoint} already has a stack ${name} with another database. End that session with \`npm run localstack -- down\`, or delete the stack.`,
  );
}

/**
 * Deletes a stack by its name. The CDK's `destroy` deletes it by its id, which MiniStack 1.4.21 confirms without deleting
 * anything.
 * @throws Error if it still exists two minutes later
 */
export async function deleteStack(endpoint: string, name: string): Promise<void> {
  await call(endpoint, "DeleteStack", name);
  for (const deadline = Date.now() + DELETED_WITHIN_MS; await exists(endpoint, name); await delay(POLL_MS)) {
    if (Date.now() > deadline) throw new Error(`The emulator at ${endpoint} did not delete the stack ${name}.`);
  }
}

async function exists(endpoint: string, name: string): Promise<boolean> {
  const response = await call(endpoint, "DescribeStacks", name);
  return response.ok && /<StackStatus>(?!DELETE_COMPLETE)/.test(await response.text());
}

/** @see https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/ */
function call(endpoint: string, action: string, stackName: string): Promise<Response> {
  return fetch(endpoint, {
    method: "POST",
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      authorization: authorization("cloudformation"),
    },
    body: new URLSearchParams({ Action: action, Version: "2010-05-15", StackName: stackName }).toString(),
  });
}
