import { setTimeout as delay } from "node:timers/promises";
import type { Session } from "./session.ts";

const HEALTHY_WITHIN_MS = 120_000;
const POLL_MS = 200;
const ANSWER_MS = 2_000;

/** Waits until an emulator is healthy. @throws Error if it ends before, or does not answer in time */
export async function untilHealthy(endpoint: string, ended?: Promise<unknown>): Promise<void> {
  let over = false;
  void ended?.then(() => (over = true));
  for (const deadline = Date.now() + HEALTHY_WITHIN_MS; Date.now() < deadline; await delay(POLL_MS)) {
    if (over) throw new Error("The emulator ended before it was ready.");
    if (await answers(`${endpoint}/_localstack/health`)) return;
  }
  throw new Error(`Nothing answers at ${endpoint}/_localstack/health within ${HEALTHY_WITHIN_MS / 1_000} seconds.`);
}

/** The emulator at an address. @throws Error if none answers */
export async function identify(endpoint: string): Promise<Session["emulator"]> {
  if (await answers(`${endpoint}/_ministack/health`)) return "ministack";
  if (await answers(`${endpoint}/_localstack/health`)) return "localstack";
  if (await answers(endpoint, () => true)) return "other";
  throw new Error(
    `Nothing answers at ${endpoint}, the address in AWS_ENDPOINT_URL. Start the emulator, or unset the variable.`,
  );
}

/** An authorization header for emulators, which read the service from it and check no signature. */
export const authorization = (service: string): string =>
  `AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=0`;

/** The version in an emulator's health response, if it has one. */
export async function versionOf(endpoint: string): Promise<string | undefined> {
  try {
    const response = await fetch(`${endpoint}/_localstack/health`, { signal: AbortSignal.timeout(ANSWER_MS) });
    return ((await response.json()) as { version?: string }).version;
  } catch {
    return undefined;
  }
}

async function answers(url: string, accept = (response: Response) => response.ok): Promise<boolean> {
  try {
    return accept(await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) }));
  } catch {
    return false;
  }
}
