import {
  type ErrorCode,
  errorTable,
  PROBLEM_MEDIA_TYPE,
  sharedCodes,
  STATUSES_WITH_RETRY_AFTER,
} from "../core/errors.ts";
import { RETRY_AFTER_SECONDS } from "../core/limits.ts";
import type { Route } from "../routes/route.ts";
import { refTo } from "./components.ts";
import { problemExample } from "./examples.ts";

/** Describes the problem documents of one operation by status: its own codes and those that its kind of route has. */
export function problems({ auth, errors }: Route): Record<string, Record<string, unknown>> {
  const byStatus = groupByStatus([...new Set([...errors, ...sharedCodes(auth)])]);
  const own = new Set<number>(errors.map((code) => errorTable[code].status));
  return Object.fromEntries(
    byStatus.map(([status, ofStatus]) => [
      String(status),
      own.has(status)
        ? problemResponse(status, ofStatus)
        : { $ref: `#/components/responses/${componentName(auth, status)}` },
    ]),
  );
}

/** Describes the responses that operations share: those of public routes, and those of routes that ask for a key. */
export function sharedProblems(): Record<string, Record<string, unknown>> {
  return Object.fromEntries(
    ["public", "key"].flatMap((auth) =>
      groupByStatus(sharedCodes(auth)).map(([status, codes]) => [
        componentName(auth, status),
        problemResponse(status, codes),
      ]),
    ),
  );
}

function componentName(auth: string, status: number): string {
  return auth === "public" ? `public-${status}` : `key-${status}`;
}

function groupByStatus(codes: readonly ErrorCode[]): [number, ErrorCode[]][] {
  return [...Map.groupBy(codes, (code) => errorTable[code].status)].toSorted(([a], [b]) => a - b);
}

function problemResponse(status: number, codes: ErrorCode[]): Record<string, unknown> {
  return {
    description: codes.map((code) => `\`${code}\`: ${errorTable[code].title}`).join(". "),
    ...(STATUSES_WITH_RETRY_AFTER.has(status) && { headers: { "Retry-After": RETRY_AFTER } }),
    content: {
      [PROBLEM_MEDIA_TYPE]: {
        schema: {
          allOf: [refTo("Problem"), { properties: { status: { const: status }, code: { enum: codes } } }],
        },
        examples: Object.fromEntries(codes.map((code) => [code, problemExample(code)])),
      },
    },
  };
}

const RETRY_AFTER = {
  description: "Seconds to wait before sending the request again",
  schema: { type: "integer", minimum: 0 },
  example: RETRY_AFTER_SECONDS,
};
