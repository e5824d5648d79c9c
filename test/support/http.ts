/** The members that tests read from a response: verdicts, a problem document or an event. */
type Body = { results?: { status: string }[]; data?: unknown; source?: string; id?: string; code?: string };

type Send = (url: string | URL, init?: RequestInit) => Promise<Response>;

const keys = new Map<string, string>();
const senders = new Map<string, Send>();

/** Lets `post` and `get` of this file send a key with every request to a stack, in the given way. */
export function useKey(url: string, key: string, send: Send = fetch): void {
  const { origin } = new URL(url);
  keys.set(origin, key);
  senders.set(origin, send);
}

/** The headers with which a request to a stack names its caller; none for a stack whose key is not known. */
export function keyHeaders(url: string): Record<string, string> {
  const key = keys.get(new URL(url).origin);
  return key === undefined ? {} : { authorization: `Bearer ${key}` };
}

type CallInit = Omit<RequestInit, "headers"> & { headers?: Record<string, string> };

/** `fetch` with the key of the stack. */
export function call(url: string | URL, { headers, ...init }: CallInit = {}) {
  const send = senders.get(new URL(url).origin) ?? fetch;
  return send(url, { ...init, headers: { ...keyHeaders(String(url)), ...headers } });
}

export async function post(url: string, body: unknown, headers: Record<string, string> = {}) {
  const response = await call(`${url}/events`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Body };
}

export async function get(url: string) {
  const response = await call(url);
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: JSON.parse(text) as Body };
}
