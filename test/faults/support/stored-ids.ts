import type { Scene } from "./fault-scenario.ts";

/** Of the case's events that are stored now; one for each row. */
export async function storedIds({ world, source }: Scene): Promise<string[]> {
  const rows = await world.ask<{ id: string }>("select id from events where source = $1", [source]);
  return rows.map(({ id }) => id);
}
