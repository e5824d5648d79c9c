import * as z from "zod";
import { authorization } from "./health.ts";

/** Invokes a function of an emulator and returns its answer, both as JSON text. @throws Error with the function's own message */
export async function invokeFunction(endpoint: string, name: string, payload: string): Promise<string> {
  const response = await call(endpoint, `/${name}/invocations`, { method: "POST", body: payload });
  const answer = await response.text();
  if (!response.ok || response.headers.has("x-amz-function-error")) throw new Error(`${name} failed: ${answer}`);
  return answer;
}

/** The names of all functions of an emulator. */
async function listFunctions(endpoint: string): Promise<string[]> {
  const { Functions: functions } = list.parse(await (await call(endpoint, "")).json());
  return functions.map(({ FunctionName }) => FunctionName);
}

/** @param construct the id of its construct in the stack @throws Error where the stack has no such function */
export async function findFunction(endpoint: string, stack: string, construct: string): Promise<string> {
  const name = (await listFunctions(endpoint)).find((each) => each.startsWith(`${stack}-${construct}`));
  if (name === undefined) throw new Error(`The emulator has no ${construct.toLowerCase()} function of ${stack}.`);
  return name;
}

/** The variables of a function; `isChanging`: its last change is not done yet. @throws Error with the emulator's answer */
export async function readConfiguration(endpoint: string, name: string) {
  const { Environment, LastUpdateStatus } = configuration.parse(await configurationCall(endpoint, name));
  return { variables: Environment?.Variables ?? {}, isChanging: LastUpdateStatus === "InProgress" };
}

/** Gives a function these variables and no others. @throws Error with the emulator's answer */
export async function writeVariables(endpoint: string, name: string, variables: Record<string, string>): Promise<void> {
  const body = JSON.stringify({ Environment: { Variables: variables } });
  await configurationCall(endpoint, name, { method: "PUT", body });
}

async function configurationCall(endpoint: string, name: string, init?: RequestInit): Promise<unknown> {
  const response = await call(endpoint, `/${name}/configuration`, init);
  const answer = await response.text();
  if (!response.ok) throw new Error(`The emulator refuses the configuration of ${name}: ${response.status} ${answer}`);
  return JSON.parse(answer);
}

const list = z.object({ Functions: z.array(z.object({ FunctionName: z.string() })) });

const configuration = z.object({
  Environment: z.object({ Variables: z.record(z.string(), z.string()) }).optional(),
  LastUpdateStatus: z.string().optional(),
});

/** @see https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html */
const call = (endpoint: string, path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`${endpoint}/2015-03-31/functions${path}`, { ...init, headers: { authorization: authorization("lambda") } });
