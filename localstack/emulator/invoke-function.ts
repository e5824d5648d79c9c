import { authorization } from "./health.ts";

/** Invokes a function of an emulator and returns its answer, both as JSON text. @throws Error with the function's own message */
export async function invokeFunction(endpoint: string, name: string, payload: string): Promise<string> {
  const response = await fetch(`${functionsUrl(endpoint)}/${name}/invocations`, {
    method: "POST",
    headers: { authorization: authorization("lambda") },
    body: payload,
  });
  const answer = await response.text();
  if (!response.ok || response.headers.has("x-amz-function-error")) throw new Error(`${name} failed: ${answer}`);
  return answer;
}

/** The names of all functions of an emulator. */
export async function listFunctions(endpoint: string): Promise<string[]> {
  const response = await fetch(functionsUrl(endpoint), { headers: { authorization: authorization("lambda") } });
  const { Functions: functions } = (await response.json()) as { Functions: { FunctionName: string }[] };
  return functions.map(({ FunctionName }) => FunctionName);
}

const functionsUrl = (endpoint: string): string => `${endpoint}/2015-03-31/functions`;
