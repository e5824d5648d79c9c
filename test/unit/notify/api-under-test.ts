import * as z from "zod";
import { expect } from "vitest";
import type { AuditEntry } from "../../../functions/core/access.ts";
import { schemas } from "../../../functions/core/answer.ts";
import { createCursors } from "../../../functions/core/cursor.ts";
import { DatabaseError, RequestError, sharedCodes } from "../../../functions/core/errors.ts";
import { toPredicate, type FilterableEvent } from "../../../functions/core/filter/predicate.ts";
import type { FeedPlace } from "../../../functions/core/feed.ts";
import type { ListReader, ListScan } from "../../../functions/core/list-reader.ts";
import { parseLossless } from "../../../functions/core/lossless-json.ts";
import type { Notifier, Notifiers } from "../../../functions/core/notifier.ts";
import { matchesAny } from "../../../functions/core/patterns.ts";
import type { EventReader, StorableEvent } from "../../../functions/core/ports.ts";
import type { Principal } from "../../../functions/core/principal.ts";
import type { Sink } from "../../../functions/core/subscription.ts";
import type { SubscriptionStore } from "../../../functions/core/subscription-store.ts";
import type { Wake } from "../../../functions/core/wakes.ts";
import { createNotifyEndpoints } from "../../../functions/notify/endpoints.ts";
import { notifyRoutes } from "../../../functions/routes/notify.ts";
import type { Route } from "../../../functions/routes/route.ts";
import { memoryDeliveries } from "../../support/memory-deliveries.ts";
import { memoryJobStarts } from "../../support/memory-job-starts.ts";
import { adminOf } from "../../support/principal.ts";
import { memoryReader } from "../query/support.ts";

export type Name = keyof typeof notifyRoutes;

export const NOW = "2026-11-29T10:00:00.000Z";
export const URL_OF_SINK = "https://example.com/hook";

export type Given = {
  body?: unknown;
  /** Of the path. */
  id?: string;
  retryId?: string;
  /** As a URL has them. */
  query?: Record<string, string>;
  principal?: Partial<Principal>;
  idempotencyKey?: string;
};

export const secretOf = (number: number) => `whsec_${"c2VjcmV0".repeat(5)}${number}`;

export const outage = () => new DatabaseError({ disposition: "retry", reason: "database_unavailable", detail: "down" });

/**
 * The endpoints over fakes in memory, or over a database where it is given. Each answer is compared with the schema of its route,
 * and each error with its list.
 */
export function apiUnderTest(
  database?: { store: SubscriptionStore; reader: ListReader; events: EventReader },
  startsAt = new Date(NOW),
) {
  let now = startsAt.getTime();
  const clock = () => new Date(now);
  const memory = memoryDeliveries({ clock });
  const stored: StorableEvent[] = [];
  const calls: string[] = [];
  const wakes: Wake[] = [];
  const tokens: string[] = [];
  const checked: Sink[] = [];
  const scans: { scan: ListScan; deadline: number }[] = [];
  const audited: Omit<AuditEntry, "number" | "previous" | "hash">[] = [];
  const world = {
    /** Why sinks are refused. */
    fault: undefined as string | undefined,
    confirms: true,
    markFails: undefined as Error | undefined,
    auditFails: undefined as Error | undefined,
    listFails: undefined as Error | undefined,
    countUpTo: 10_000,
    /** Calls of the store that do something else. */
    instead: {} as Partial<SubscriptionStore>,
  };
  let ids = 0;
  const newId = () => (ids += 1).toString(16).padStart(32, "0");
  let secrets = 0;

  const notifier = {
    check: async (sink: Sink) => {
      calls.push("check");
      checked.push(sink);
      return world.fault;
    },
    notify: async () => ({ kind: "delivered" as const }),
  } as Notifier;
  const cursors = createCursors(async () => SECRET);
  const store = Object.fromEntries(
    Object.entries(database?.store ?? memory.store).map(([name, method]) => [
      name,
      (...given: never[]) => {
        calls.push(name);
        const call = world.instead[name as keyof SubscriptionStore] ?? method;
        return (call as (...given: never[]) => unknown)(...given);
      },
    ]),
  ) as SubscriptionStore;
  const reader: ListReader = {
    async list(scan, deadline) {
      calls.push("list of events");
      scans.push({ scan, deadline });
      if (world.listFails !== undefined) throw world.listFails;
      const matching = stored
        .filter(({ tenant, receivedAt }) => tenant === scan.tenant && receivedAt >= (scan.received.from ?? ""))
        .map(jsonOf)
        .filter((json) => isWanted(scan, parseLossless(json).lossless as FilterableEvent))
        .toReversed();
      return {
        events: matching.slice(0, scan.maxEvents),
        horizon: "7",
        plan: "scan",
        scanned: stored.length,
        isComplete: true,
        hasMore: matching.length > scan.maxEvents,
        first: undefined,
        last: undefined,
        count: {
          value: Math.min(matching.length, world.countUpTo),
          relation: matching.length > world.countUpTo ? "gte" : "eq",
        },
      };
    },
  };
  const endpoints = createNotifyEndpoints({
    store,
    notifiers: { webhook: notifier, email: notifier, slack: notifier, sns: notifier, sqs: notifier } as Notifiers,
    wakes: {
      send: async (wake) => {
        calls.push("wake");
        if (world.confirms) wakes.push(wake);
        return world.confirms;
      },
    },
    starts: memoryJobStarts({ clock }),
    mark: {
      set: async (token) => {
        calls.push("mark");
        if (world.markFails !== undefined) throw world.markFails;
        tokens.push(token);
      },
    },
    audit: {
      append: async (entry) => {
        calls.push("audit");
        if (world.auditFails !== undefined) throw world.auditFails;
        audited.push(structuredClone(entry));
        return { ...entry, number: 1, previous: "", hash: "" };
      },
    },
    reader: database?.reader ?? reader,
    events: database?.events ?? memoryReader(stored).reader,
    cursors,
    newSecret: async (id) => {
      secrets += 1;
      return { text: secretOf(secrets), publicKey: `whpk_${secrets}`, sealed: `sealed ${secrets} of ${id}` };
    },
    clock,
    newId,
  });

  /** Sends a request as the adapter parses it, and returns the parsed body. @throws as the endpoint does */
  async function call(
    name: Name,
    { body, id = "", retryId = "", query = {}, principal = {}, idempotencyKey }: Given = {},
  ) {
    const route: Route = notifyRoutes[name];
    const parsed = Object.fromEntries(
      Object.entries(route.query ?? {}).map(([each, schema]) => [each, z.parse(schema, query[each])]),
    );
    const text = body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body);
    const request = {
      method: route.method,
      path: route.path,
      headers: {
        ...(body !== undefined && { "content-type": "application/json" }),
        ...(idempotencyKey !== undefined && { "idempotency-key": idempotencyKey }),
      },
      repeatedHeaders: [],
      parameters: { id, retryId },
      query: parsed,
      principal: { ...adminOf("acme"), ...principal },
      body: Buffer.from(text),
      inflated: true,
      requestId: "r-1",
      deadline: now + 60_000,
    };
    const handle = endpoints[name] as (given: typeof request) => Promise<Answer>;
    const answer = await handle(request).catch((error: unknown) => {
      if (error instanceof RequestError) expect([...route.errors, ...sharedCodes(route.auth)]).toContain(error.code);
      throw error;
    });
    const { schema } = route.answers[answer.status] ?? {};
    const json = answer.body === "" ? undefined : (JSON.parse(answer.body) as Record<string, unknown>);
    if (schema !== undefined) expect(z.parse(schemas[schema as keyof typeof schemas], json)).toEqual(json);
    return { ...answer, text: answer.body, body: (json ?? {}) as Body };
  }

  return {
    call,
    calls,
    wakes,
    tokens,
    checked,
    scans,
    audited,
    world,
    memory,
    advance: (ms: number) => void (now += ms),
    /** Stores events, each call as one transaction. */
    store(...events: StorableEvent[]) {
      stored.push(...events);
      memory.storeEvents(events);
    },
    create: async (changes: object = {}, principal: Partial<Principal> = {}) => {
      const body = { name: "orders", sink: { type: "webhook", url: URL_OF_SINK }, ...changes };
      return (await call("createSubscription", { body, principal })).body;
    },
    /** `code: message` of the error, or `accepted`. */
    refusal: async (name: Name, given: Given = {}): Promise<string> => {
      try {
        await call(name, given);
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        return `${(error as Partial<RequestError>).code ?? error.name}: ${error.message}`;
      }
      return "accepted";
    },
    /** A cursor as `GET /feed` gives it. */
    feedCursor: (
      { incarnation, number, began, event, forgotten }: FeedPlace,
      filter: object | null = null,
      { tenant = "acme", types }: Partial<Principal> = {},
    ) =>
      cursors.write("feed", { tenant, request: [filter, types ?? null, null] }, [
        incarnation,
        number,
        began,
        event,
        forgotten,
        null,
      ]),
  };
}

const SECRET = new TextEncoder().encode("a secret of tests");

type Answer = { status: number; headers?: Record<string, string>; body: string };

/** The members of answers that tests read. */
type Body = {
  id: string;
  secret?: string;
  publicKey?: string;
  warning?: string;
  state?: string;
  next?: string | null;
  matches?: { count: number; complete: boolean; events: { id: string }[] } | boolean;
  ledger?: Record<string, number>;
  subscriptions?: { id: string }[];
  attempts?: Record<string, unknown>[];
  deliveries?: Record<string, unknown>[];
  retries?: Record<string, unknown>[];
  groups?: Record<string, unknown>[];
  why?: { pointer: string; message: string }[];
  [member: string]: unknown;
};

function jsonOf({ tenant, receivedAt, event: { extensions, ...attributes } }: StorableEvent): string {
  return JSON.stringify({ specversion: "1.0", ...attributes, ...extensions, tenant, receivedat: receivedAt });
}

function isWanted({ filter, allowed }: ListScan, event: FilterableEvent): boolean {
  const { type, source } = event as { type: string; source: string };
  if (!matchesAny(allowed.types, type) || !matchesAny(allowed.sources, source)) return false;
  return filter === undefined || toPredicate(filter)(event);
}
