import { authorization } from "./health.ts";

/**
 * Calls the migrate function of a stack, as the deployment's trigger does, and gives the names of the migrations that it
 * applied: none where the trigger ran.
 * @throws Error with the function's own message
 */
export async function runMigrations(endpoint: string, stack: string): Promise<string[]> {
  const functions = `${endpoint}/2015-03-31/functions`;
  const headers = { authorization: authorization("lambda") };
  const listed = (await (await fetch(functions, { headers })).json()) as { Functions: { FunctionName: string }[] };
  const name = listed.Functions.map(({ FunctionName }) => FunctionName).find((each) =>
    each.startsWith(`${stack}-Migrate`),
  );
  if (name === undefined) throw new Error(`The emulator has no migrate function of ${stack}.`);
  const response = await fetch(`${functions}/${name}/invocations`, { method: "POST", headers, body: "{}" });
  const answer = await response.text();
  if (!response.ok || response.headers.has("x-amz-function-error")) throw new Error(`The migrations failed: ${answer}`);
  return (JSON.parse(answer) as { applied: string[] }).applied;
}
