import * as z from "zod";
import { reasonOf } from "../../cli/reason-of.ts";
import { problem } from "../../functions/core/answer.ts";
import { INSTALLATION } from "../../functions/core/scopes.ts";
import { findStackAddress, type StackOptions } from "../stack-address.ts";
import { findAdminKey } from "./find-admin-key.ts";

/** API Gateway itself answers within 29 seconds. */
const TIMEOUT_MS = 60_000;

type ApiRequest = {
  method: "GET" | "POST" | "PUT" | "DELETE";
  path: `/${string}`;
  /** A list is sent as several values of one name. */
  query?: Readonly<Record<string, string | number | readonly string[] | undefined>>;
  body?: unknown;
  /** The tenant in whose place a key of the installation asks; INSTALLATION as if there were none. */
  tenant?: string | undefined;
  /** By the code of a refusal: what a command says in place of the API's detail, in the words of its own options. */
  refusals?: Readonly<Record<string, string>>;
};

export type ApiClient = {
  /** @throws Error with the detail of the problem document, or that says what is there instead of the API */
  call<Answer>(request: ApiRequest, schema: z.core.$ZodType<Answer>): Promise<Answer>;
  /** The same for an answer whose text must stay as it is. @throws Error as `call` does */
  callText(request: ApiRequest): Promise<string>;
};

/** A request that the API refused, with the code of its problem document. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: string | undefined;
  readonly status: number | undefined;

  constructor(message: string, { code, status }: { code?: string; status?: number } = {}) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

/** Opens the API of a stack with the key that belongs to it. */
export async function openApiClient(options: StackOptions): Promise<ApiClient> {
  const address = findStackAddress(options);
  return createApiClient(address.url, await findAdminKey(address, process.env));
}

export function createApiClient(url: string, key: string): ApiClient {
  async function callText({ method, path, query = {}, body, tenant, refusals = {} }: ApiRequest): Promise<string> {
    const address = new URL(`${url}${path}`);
    for (const [name, value] of Object.entries(query)) {
      for (const each of [value].flat()) if (each !== undefined) address.searchParams.append(name, String(each));
    }
    const { status, text } = await send(address, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(tenant !== undefined && tenant !== INSTALLATION && { "sluice-tenant": tenant }),
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (status >= 300) throw refusal({ status, text, what: `${method} ${path}`, refusals });
    return text;
  }

  return {
    callText,
    async call(request, schema) {
      const { method, path } = request;
      const text = await callText(request);
      const parsed = z.safeParse(schema, text === "" ? undefined : parse(text));
      if (parsed.success) return parsed.data;
      throw new Error(`${url} is not the API of Sluice, or of another version: ${method} ${path} has another answer.`);
    },
  };
}

async function send(url: URL, request: RequestInit): Promise<{ status: number; text: string }> {
  try {
    const response = await fetch(url, { ...request, redirect: "manual", signal: AbortSignal.timeout(TIMEOUT_MS) });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    throw new Error(`Nothing answers at ${url.origin}: ${reasonOf(error)}. Check the network, or run \`npm start\`.`, {
      cause: error,
    });
  }
}

function refusal({
  status,
  text,
  what,
  refusals,
}: {
  status: number;
  text: string;
  what: string;
  refusals: Readonly<Record<string, string>>;
}): ApiError {
  const { code, detail } = problem.partial().safeParse(parse(text)).data ?? {};
  if (code === undefined) return new ApiError(`${what} was answered with HTTP ${status}. Check the URL.`, { status });
  return new ApiError(`${refusals[code] ?? detail} (HTTP ${status} ${code})`, { code, status });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
