import { signal } from "@preact/signals";
import { parseJson } from "../../functions/core/parse-json.ts";
import { type Params, route, TENANT_PARAMETER, toParams } from "../route.ts";
import { Problem, tooLong, unreachable } from "./problem.ts";

export type Method = "GET" | "POST" | "PUT" | "DELETE";

export type CallOptions = {
  query?: Params;
  /** Sent as JSON; a text is sent as it stands, so that its numbers keep their digits. */
  body?: unknown;
  headers?: Readonly<Record<string, string>>;
  signal?: AbortSignal;
  /** False for calls that the user did not ask for, such as polling: they are not the last call. */
  record?: boolean;
  /** In place of the tenant of the address; null for none. */
  tenant?: string | null;
};

/** An answer: `text` as it came, and `body` parsed as JSON, where numbers are doubles. Show events from `text`. */
export type Answer<T> = { status: number; headers: Headers; text: string; body: T };

export type RecordedCall = {
  number: number;
  method: Method;
  url: string;
  tenant: string | undefined;
  body: string | undefined;
  headers: Readonly<Record<string, string>>;
  /** Undefined while it is under way; 0 without an answer. */
  status: number | undefined;
  ms: number | undefined;
};

/** The last calls, latest first. */
export const calls = signal<readonly RecordedCall[]>([]);
const KEPT_CALLS = 20;

/** Called when the session is over. */
export const onSignedOut: { current: () => void } = { current: () => undefined };

/**
 * Calls the API, which is where the page is. The session goes along as a cookie.
 * @throws Problem; AbortError where `signal` ended it
 */
export async function call<T>(method: Method, path: string, options: CallOptions = {}): Promise<Answer<T>> {
  const { query, body, signal: abort, record = true } = options;
  const tenant = options.tenant === undefined ? route.value.params.get(TENANT_PARAMETER) : options.tenant;
  const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  const headers = { ...(text !== undefined && { "content-type": "application/json" }), ...options.headers };
  const url = addressOf(path, query);
  if (url.length > ADDRESS_MAX_CHARACTERS) throw tooLong(url.length, ADDRESS_MAX_CHARACTERS);
  const settle = record
    ? recordCall({ method, url, tenant: tenant ?? undefined, body: text, headers })
    : () => undefined;
  try {
    const response = await fetch(url, {
      method,
      headers: { ...headers, ...(tenant !== null && { "sluice-tenant": tenant }) },
      credentials: "same-origin",
      ...(text !== undefined && { body: text }),
      ...(abort !== undefined && { signal: abort }),
    });
    const answer = await response.text();
    settle(response.status);
    return read<T>(response, answer);
  } catch (error) {
    if (error instanceof Problem) throw error;
    settle(0);
    if (abort?.aborted === true) throw error;
    throw unreachable();
  }
}

/** API Gateway takes some 10 KB of first line and headers together; the rest is for the headers. */
const ADDRESS_MAX_CHARACTERS = 8_000;

/** Tells whether a call ended because nobody waits for it any more. */
export function isAborted(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

function addressOf(path: string, query: Params = {}): string {
  const parameters = toParams(query).toString();
  return new URL(`${path.replace(/^\//, "")}${parameters === "" ? "" : `?${parameters}`}`, document.baseURI).href;
}

function read<T>(response: Response, text: string): Answer<T> {
  const { status, headers } = response;
  if (status === 401) onSignedOut.current();
  if (!response.ok) throw new Problem(status, membersOf(text), headers.get("retry-after"));
  let body: T | undefined;
  const isJson = /\bjson\b/.test(headers.get("content-type") ?? "");
  return {
    status,
    headers,
    text,
    get body() {
      return (body ??= (isJson && text !== "" ? parseJson(text) : undefined) as T);
    },
  };
}

function membersOf(text: string): Record<string, unknown> {
  try {
    const value: unknown = parseJson(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function recordCall(made: Omit<RecordedCall, "number" | "status" | "ms">): (status: number) => void {
  const number = (calls.value[0]?.number ?? 0) + 1;
  const started = performance.now();
  calls.value = [{ ...made, number, status: undefined, ms: undefined }, ...calls.value].slice(0, KEPT_CALLS);
  return (status) => {
    const ms = Math.round(performance.now() - started);
    calls.value = calls.value.map((each) => (each.number === number ? { ...each, status, ms } : each));
  };
}
