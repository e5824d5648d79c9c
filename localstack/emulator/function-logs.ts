import { setTimeout as delay } from "node:timers/promises";

const POLL_MS = 1_000;

type LogEvent = { timestamp: number; message: string };

/**
 * Writes what the stack's functions logged, oldest first, from the emulator's CloudWatch Logs; with `signal`, goes on
 * until it fires. Emulators do not check signatures, so a request needs no SDK.
 * @see https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
 * @throws Error that names the call which was refused
 */
export async function showLogs(endpoint: string, write: (line: string) => void, signal?: AbortSignal): Promise<void> {
  const call = (action: string, body: object) => callLogs(endpoint, action, body);
  const shown = new Set<string>();
  for (;;) {
    const { logGroups } = (await call("DescribeLogGroups", {})) as { logGroups: { logGroupName: string }[] };
    const ours = logGroups.map(({ logGroupName }) => logGroupName).filter((name) => name.includes("Sluice-"));
    const pages = await Promise.all(ours.map((name) => allEvents(name, call)));
    for (const { timestamp, message } of pages.flat().toSorted((a, b) => a.timestamp - b.timestamp)) {
      const line = `${new Date(timestamp).toISOString()} ${message.trimEnd()}`;
      if (shown.has(line)) continue;
      shown.add(line);
      write(line);
    }
    if (signal === undefined || signal.aborted) return;
    await delay(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function allEvents(logGroupName: string, call: (action: string, body: object) => Promise<unknown>) {
  const all: LogEvent[] = [];
  let nextToken: string | undefined;
  do {
    const page = (await call("FilterLogEvents", { logGroupName, ...(nextToken && { nextToken }) })) as {
      events?: LogEvent[];
      nextToken?: string;
    };
    all.push(...(page.events ?? []));
    nextToken = page.nextToken;
  } while (nextToken);
  return all;
}

async function callLogs(endpoint: string, action: string, body: object): Promise<unknown> {
  const response = await fetch(`${endpoint}/`, {
    method: "POST",
    headers: {
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": `Logs_20140328.${action}`,
      authorization:
        "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/logs/aws4_request, SignedHeaders=host, Signature=0",
    },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`The emulator refused ${action}: ${response.status} ${await response.text()}`);
  return response.json();
}
