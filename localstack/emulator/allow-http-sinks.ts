import { setTimeout as delay } from "node:timers/promises";
import { LOOPBACKS } from "../ports.ts";
import { findFunction, readConfiguration, writeVariables } from "./functions-api.ts";
import type { Session } from "./session.ts";

const CHANGED_WITHIN_MS = 60_000;
const POLL_MS = 200;

/**
 * Lets the subscriptions of a stack deliver to `http://127.0.0.1:PORT`. The template is that of AWS, which never allows it, so the
 * variable is set behind the deployment.
 * @returns false where the functions run in containers: there 127.0.0.1 is the container, and nothing is changed
 * @throws Error if the emulator has no such function, or does not change it within a minute
 */
export async function allowHttpSinks(
  { endpoint, database }: Pick<Session, "endpoint" | "database">,
  stack: string,
): Promise<boolean> {
  // Functions reach the Data API by this address.
  if (!LOOPBACKS.includes(new URL(database.endpoint).hostname)) return false;
  const name = await findFunction(endpoint, stack, "Notify");
  const { variables } = await readConfiguration(endpoint, name);
  await writeVariables(endpoint, name, { ...variables, ALLOW_HTTP_SINKS: "true" });
  for (const deadline = Date.now() + CHANGED_WITHIN_MS; ; await delay(POLL_MS)) {
    const { isChanging } = await readConfiguration(endpoint, name);
    if (!isChanging) return true;
    if (Date.now() > deadline) throw new Error(`The emulator did not change the variables of ${name} within a minute.`);
  }
}
