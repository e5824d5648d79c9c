import { setTimeout as delay } from "node:timers/promises";
import { authorization } from "./health.ts";

const POLL_MS = 1_000;
/** In the names of our stack's log groups; CloudFormation and emulators generate the rest of a name. */
const OURS = /Sluice-/;

type LogEvent = { eventId: string; timestamp: number; message: string };
type Call = (action: string, body: object) => Promise<unknown>;

/**
 * Writes the log lines of the stack's functions, oldest first, from the emulator's CloudWatch Logs; with `signal`, goes on
 * until it fires.
 * @see https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
 * @throws Error that names the call which was refused
 */
export async function showLogs(endpoint: string, write: (line: string) => void, signal?: AbortSignal): Promise<void> {
  const call: Call = (action, body) => callLogs(endpoint, action, body);
  const shown = new Set<string>();
  let startTime = 0;
  for (;;) {
    const groups = await allPages<{ logGroupName: string }>(call, "DescribeLogGroups", "logGroups", {});
    const ours = groups.map(({ logGroupName }) => logGroupName).filter((name) => OURS.test(name));
    const pages = await Promise.all(
      ours.map(async (logGroupName) => {
        const events = await allPages<LogEvent>(call, "FilterLogEvents", "events", { logGroupName, startTime });
        return events.map((event, index) => ({ ...event, key: `${logGroupName} ${event.eventId ?? index}` }));
      }),
    );
    for (const { key, timestamp, message } of pages.flat().toSorted((a, b) => a.timestamp - b.timestamp)) {
      // Events of one millisecond may be in two responses.
      if (shown.has(key)) continue;
      shown.add(key);
      startTime = Math.max(startTime, timestamp);
      write(`${new Date(timestamp).toISOString()} ${message.trimEnd()}`);
    }
    if (signal === undefined || signal.aborted) return;
    await delay(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function allPages<T>(call: Call, action: string, member: string, body: object): Promise<T[]> {
  const all: T[] = [];
  let nextToken: string | undefined;
  do {
    const page = (await call(action, { ...body, ...(nextToken && { nextToken }) })) as Record<string, unknown>;
    all.push(...((page[member] ?? []) as T[]));
    nextToken = page["nextToken"] as string | undefined;
  } while (nextToken);
  return all;
}

async function callLogs(endpoint: string, action: string, body: object): Promise<unknown> {
  const response = await fetch(`${endpoint}/`, {
    method: "POST",
    headers: {
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": `Logs_20140328.${action}`,
      authorization: authorization("logs"),
    },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`The emulator refused ${action}: ${response.status} ${await response.text()}`);
  return response.json();
}
