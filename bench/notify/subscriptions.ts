import type { Pipeline } from "../pipeline/pipeline.ts";

/** The filter of all subscriptions here, which matches every event of the load. */
const FILTER = { exact: { type: "com.example.order.placed" } };

/** Makes a subscription of new events. @returns its id */
export async function subscribe(
  pipeline: Pick<Pipeline, "url" | "apiKey">,
  name: string,
  url: string,
): Promise<string> {
  const { id } = (await call(pipeline, "POST", "/subscriptions", {
    name,
    filter: FILTER,
    sink: { type: "webhook", url },
  })) as { id: string };
  return id;
}

export async function unsubscribe(pipeline: Pick<Pipeline, "url" | "apiKey">, id: string): Promise<void> {
  await call(pipeline, "DELETE", `/subscriptions/${id}`);
}

/** Lets all subscriptions wait or go on, by one statement: by requests the first would go on without the others. */
export async function setStates(pipeline: Pick<Pipeline, "ask">, state: "disabled" | "active"): Promise<void> {
  const reason = state === "disabled" ? "requested" : null;
  await pipeline.ask("update subscriptions set state = $1, disabled_reason = $2", [state, reason]);
}

async function call(
  { url, apiKey }: Pick<Pipeline, "url" | "apiKey">,
  method: string,
  path: string,
  body?: object,
): Promise<unknown> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status}: ${text}`);
  return text === "" ? undefined : JSON.parse(text);
}
