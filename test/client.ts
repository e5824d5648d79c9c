import { execFile } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";

/** Asks until the answer is as wanted; fails with the last answer when the time is over. */
export async function eventually<T>(
  ask: () => Promise<T>,
  wanted: (answer: T) => boolean,
  withinMs = 15_000,
): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const answer = await ask().catch((error: unknown) => error as T);
    if (!(answer instanceof Error) && wanted(answer)) return answer;
    if (Date.now() > deadline) {
      throw new Error(
        `Not within ${withinMs} ms. Last answer: ${answer instanceof Error ? answer.message : JSON.stringify(answer)?.slice(0, 500)}`,
      );
    }
    await delay(50);
  }
}

/** What the tests read of an answer: verdicts, a problem document or an event. */
type Answer = { results?: { status: string }[]; data?: unknown; source?: string; id?: string };

export async function post(url: string, body: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${url}/events`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Answer };
}

export async function get(url: string) {
  const response = await fetch(url);
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: JSON.parse(text) as Answer };
}

/** Runs a command of scripts/ as a user does. */
export function runScript(name: string, args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [`scripts/${name}.ts`, ...args], (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr });
    });
  });
}
