import { type ErrorCode, errorTable, STATUSES_WITH_RETRY_AFTER } from "../core/errors.ts";
import { RETRY_AFTER_SECONDS } from "../core/limits.ts";
import { refTo } from "./components.ts";
import { problemExample } from "./examples.ts";

/** Error codes that every route can answer, by its function or by API Gateway itself. */
const EVERYWHERE: ErrorCode[] = [
  "bad_parameter",
  "bad_request",
  "no_such_route",
  "forbidden",
  "throttled",
  "internal_error",
  "gateway_failure",
  "gateway_timeout",
];

/** Describes the problem documents of one operation by status: its own codes and those that every route has. */
export function problems(codes: readonly ErrorCode[]): Record<string, Record<string, unknown>> {
  const byStatus = groupByStatus([...codes, ...EVERYWHERE]);
  const own = new Set<number>(codes.map((code) => errorTable[code].status));
  return Object.fromEntries(
    byStatus.map(([status, ofStatus]) => [
      String(status),
      own.has(status) ? problemResponse(status, ofStatus) : { $ref: `#/components/responses/${status}` },
    ]),
  );
}

/** Describes the responses that operations share, by status. */
export function sharedProblems(): Record<string, Record<string, unknown>> {
  return Object.fromEntries(
    groupByStatus(EVERYWHERE).map(([status, codes]) => [String(status), problemResponse(status, codes)]),
  );
}

function groupByStatus(codes: readonly ErrorCode[]): [number, ErrorCode[]][] {
  return [...Map.groupBy(codes, (code) => errorTable[code].status)].toSorted(([a], [b]) => a - b);
}

function problemResponse(status: number, codes: ErrorCode[]): Record<string, unknown> {
  return {
    description: codes.map((code) => `\`${code}\`: ${errorTable[code].title}`).join(". "),
    ...(STATUSES_WITH_RETRY_AFTER.has(status) && { headers: { "Retry-After": RETRY_AFTER } }),
    content: {
      "application/problem+json": {
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
