import { findFunction, invokeFunction } from "./functions-api.ts";

/**
 * Calls the migrate function of a stack, as the deployment's trigger does, and gives the names of the migrations that it
 * applied: none where the trigger ran.
 * @throws Error with the function's own message
 */
export async function runMigrations(endpoint: string, stack: string): Promise<string[]> {
  const name = await findFunction(endpoint, stack, "Migrate");
  return (JSON.parse(await invokeFunction(endpoint, name, "{}")) as { applied: string[] }).applied;
}
