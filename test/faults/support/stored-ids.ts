import type { FaultScenario } from "./fault-scenario.ts";

/** Of the case's events that are stored now; one for each row. */
export async function storedIds({ stack, source }: FaultScenario): Promise<string[]> {
  const rows = await stack.ask<{ id: string }>("select id from events where source = $1", [source]);
  return rows.map(({ id }) => id);
}
