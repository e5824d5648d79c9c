import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { createSharedLimiter } from "../../../functions/adapters/lambda/shared-limiter.ts";
import { createLimiter, type Limiter, QUERY_RESERVE } from "../../../functions/core/limiter.ts";
import { limitedPrincipal } from "../../support/limited-principal.ts";
import { memoryLeaseStore } from "../../support/memory-lease-store.ts";

// Handlers call what they were loaded with, and files of a project share what they load.
vi.hoisted(() => vi.resetModules());
afterAll(() => vi.resetModules());
vi.mock("../../../functions/adapters/lambda/shared-limiter.ts", { spy: true });
vi.mock("../../../functions/core/limiter.ts", { spy: true });

afterEach(() => vi.unstubAllEnvs());

/** The variables of all three functions. */
const ENVIRONMENT = {
  STAGE: "dev",
  METRICS_NAMESPACE: "Sluice",
  LOG_LEVEL: "INFO",
  ACCESS_TABLE: "access",
  USAGE_TABLE: "usage",
  AUDIT_TABLE: "audit",
  KEY_SECRET_ARN: "arn:key",
  CLUSTER_ARN: "arn:cluster",
  SECRET_ARN: "arn:reader",
  DATABASE_NAME: "sluice",
  QUEUE_URL: "http://127.0.0.1:1/queue",
  STATUS_QUEUE_URL: "http://127.0.0.1:1/status",
  STATUS_TABLE: "status",
  UNKNOWN_TYPES: "accept",
  UNKNOWN_VERSIONS: "accept",
  RETENTION: "30d",
};

describe("the limits of the functions", () => {
  it.each([
    { name: "query", reserve: QUERY_RESERVE },
    { name: "access", reserve: QUERY_RESERVE },
    { name: "ingest", reserve: undefined },
  ])("the function $name leaves the part $reserve of a limit of requests to others", async ({ name, reserve }) => {
    for (const [variable, value] of Object.entries(ENVIRONMENT)) vi.stubEnv(variable, value);

    await import(`../../../functions/${name}/handler.ts`);

    expect(vi.mocked(createSharedLimiter).mock.lastCall?.[1].reserve).toBe(reserve);
  });

  it("the limiter of a function leaves the part that the function names, and none where it names none", () => {
    const logger = { begin: ignore, info: ignore, warn: ignore, error: ignore };
    const client = new DynamoDBClient({ region: "eu-central-1" });

    for (const reserve of [0.3, undefined])
      createSharedLimiter({ USAGE_TABLE: "usage" }, { client, logger, ...(reserve !== undefined && { reserve }) });

    expect(
      vi
        .mocked(createLimiter)
        .mock.calls.slice(-2)
        .map(([deps]) => deps.reserve),
    ).toEqual([0.3, 0]);
  });

  it("queries are refused before ingest: they leave a fifth of the requests of a second to it", async () => {
    const { store } = memoryLeaseStore();
    const deps = { store, clock: () => new Date("2026-11-29T10:00:00Z"), random: () => 0.5, onFailure: ignore };
    const [queries, ingest] = [createLimiter({ ...deps, reserve: QUERY_RESERVE }), createLimiter(deps)];
    const caller = limitedPrincipal({ tenant: { requestsPerSecond: 10 } });
    const granted = async (limiter: Limiter) => {
      let count = 0;
      while (count < 20 && (await limiter.takeRequest(caller))?.granted === 1) count += 1;
      return count;
    };

    expect([await granted(queries), await granted(ingest)]).toEqual([8, 2]);
  });
});

function ignore(): void {}
