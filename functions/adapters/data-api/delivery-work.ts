import { setTimeout as delay } from "node:timers/promises";
import { DatabaseError } from "../../core/errors.ts";
import type { SqlDatabase, SqlValue } from "../../core/ports.ts";
import type {
  ClaimBounds,
  ClaimedDelivery,
  ClaimedSubscription,
  DeliveryWork,
  SubscriptionNotice,
} from "../../core/delivery-work.ts";
import type { FailureSelection } from "../../core/redelivery.ts";
import {
  CIRCUIT_FAILURES,
  CIRCUIT_PROBE_SECONDS,
  CIRCUIT_WINDOW_MIN,
  CIRCUIT_WINDOW_SECONDS,
  CLAIM_MAX_BYTES,
  DISABLE_AFTER_HOURS,
  DISPATCH_FILTERS_MAX_BYTES,
  DISPATCH_MAX_EVENTS,
  DISPATCH_PAUSE_MS,
  DISPATCH_STATEMENT_MS,
  NOTICE_PERCENTS,
  REDELIVER_STATEMENT_MS,
} from "../../core/subscription-limits.ts";
import { failpoint } from "../lambda/failpoint.ts";
import { deadLetterCondition } from "./dead-letter-condition.ts";
import { joinPieces } from "./join-pieces.ts";
import { toRecord } from "./subscription-record.ts";
import { textArray, toTextArray } from "./text-array.ts";

type DueSubscription = { id: string; version: string; filter: string };

/** The work on deliveries in PostgreSQL; the functions are documented in functions/sql/0009_subscriptions.sql. */
export function createDeliveryWork(
  database: Pick<SqlDatabase, "execute">,
  {
    dispatchMost = DISPATCH_MAX_EVENTS,
    clock = Date.now,
  }: {
    /** Events of one subscription that a statement looks at. */
    dispatchMost?: number;
    clock?: () => number;
  } = {},
): DeliveryWork {
  async function readDue(without: readonly string[], deadline: number) {
    const { rows } = await database.execute(READ_DUE, { without: toTextArray(without) }, deadline);
    const due = new Map<string, DueSubscription>();
    let facts = { isOpen: false, subscriptions: 0, isCut: false, hasNotices: false };
    for (const [id, version, piece, isOpen, subscriptions, isCut, hasNotices] of rows) {
      if (typeof id !== "string") {
        const flags = { isOpen: isOpen === true, isCut: isCut === true, hasNotices: hasNotices === true };
        facts = { ...flags, subscriptions: Number(subscriptions) };
        continue;
      }
      const filter = (due.get(id)?.filter ?? "") + String(piece);
      due.set(id, { id, version: String(version), filter });
    }
    return { due: [...due.values()], ...facts };
  }

  async function dispatch(due: readonly DueSubscription[], deadline: number) {
    const given = due.map(({ id, version, filter }) => {
      const { condition, condition_texts } = deadLetterCondition(filter === "" ? undefined : filter);
      return { id, version, condition, texts: JSON.parse(condition_texts) as string[] };
    });
    const parameters = { given: JSON.stringify(given), most: String(dispatchMost) };
    FAILPOINT: await failpoint("beforeDispatch");
    const { rows } = await database.execute(DISPATCH, parameters, deadline);
    FAILPOINT: await failpoint("afterDispatch");
    const [dispatched, matched, unfinished, isOpen] = rows[0] ?? [];
    return {
      dispatched: Number(dispatched),
      matched: Number(matched),
      unfinished: Number(unfinished),
      isOpen: isOpen === true,
      failing: [] as string[],
    };
  }

  /** Dispatches one by one where one of several may be at fault, so that it holds up no other. */
  async function dispatchApart(due: readonly DueSubscription[], deadline: number) {
    try {
      return await dispatch(due, deadline);
    } catch (error) {
      if (!isOfOne(error)) throw error;
      const total = { dispatched: 0, matched: 0, unfinished: 0, isOpen: false, failing: [] as string[] };
      if (due.length === 1) return { ...total, failing: due.map(({ id }) => id) };
      for (const each of due) {
        const one = await dispatchApart([each], deadline);
        total.dispatched += one.dispatched;
        total.matched += one.matched;
        total.unfinished += one.unfinished;
        total.isOpen ||= one.isOpen;
        total.failing.push(...one.failing);
      }
      return total;
    }
  }

  return {
    async dispatch(budgetMs, deadline) {
      const until = clock() + budgetMs;
      const facts = { isAtEnd: false, isOpen: false, hasNotices: false, subscriptions: 0 };
      const result = { ...facts, matched: 0, failing: [] as string[] };
      for (;;) {
        const { due, isOpen, subscriptions, isCut, hasNotices } = await readDue(result.failing, deadline);
        result.isOpen ||= isOpen;
        Object.assign(result, { subscriptions, hasNotices });
        if (due.length === 0) return { ...result, isAtEnd: true };
        const done = await dispatchApart(due, deadline);
        result.matched += done.matched;
        result.isOpen ||= done.isOpen;
        result.failing.push(...done.failing);
        if (done.unfinished === 0 && !isCut) return { ...result, isAtEnd: true };
        if (clock() >= until) return result;
        // Another worker has them just now.
        if (done.dispatched === 0 && done.failing.length === 0) await delay(DISPATCH_PAUSE_MS);
      }
    },

    async redeliver(most, deadline) {
      const failing: string[] = [];
      for (;;) {
        const { rows } = await database.execute(NEXT_REDELIVERY, { without: toTextArray(failing) }, deadline);
        const [id, others] = rows[0] ?? [];
        if (typeof id !== "string") return { taken: 0, isAtEnd: true, failing };
        const request = joinPieces(rows.map(([, , piece = null]) => [piece])) ?? "";
        const { filter } = toRecord(request) as FailureSelection;
        const parameters = { id, ...deadLetterCondition(filter), most: String(most) };
        try {
          const { rows: taken } = await database.execute(TAKE, parameters, deadline);
          const [number, isAtEnd] = taken[0] ?? [];
          return { taken: Number(number), isAtEnd: isAtEnd === true && Number(others) === 0, failing };
        } catch (error) {
          // It holds up neither other redeliveries nor what is due.
          if (!isOfOne(error)) throw error;
          failing.push(id);
        }
      }
    },

    async claim(worker, bounds, deadline) {
      const { rows } = await database.execute(CLAIM, { worker, ...toParameters(bounds) }, deadline);
      FAILPOINT: await failpoint("afterClaim");
      return toClaim(rows);
    },

    async settle(worker, results, deadline) {
      FAILPOINT: await failpoint("beforeSettle");
      const { rows } = await database.execute(SETTLE, { worker, results: JSON.stringify(results) }, deadline);
      FAILPOINT: await failpoint("afterSettle");
      return rows[0]?.[0] === true;
    },

    async settleAndClaim(worker, results, bounds, deadline) {
      const parameters = { worker, results: JSON.stringify(results), ...toParameters(bounds) };
      FAILPOINT: await failpoint("beforeSettle");
      const { rows } = await database.execute(SETTLE_AND_CLAIM, parameters, deadline);
      FAILPOINT: await failpoint("afterSettle");
      FAILPOINT: await failpoint("afterClaim");
      const [settled] = rows;
      return { hasNotices: settled?.[2] === "true", claim: toClaim(rows) };
    },

    async notices(most, deadline) {
      FAILPOINT: await failpoint("beforeNotices");
      const { rows } = await database.execute(NOTICES, { most: String(most) }, deadline);
      return rows.map(([notice]) => toRecord(notice) as SubscriptionNotice);
    },

    async deleteNotices(ids, deadline) {
      FAILPOINT: await failpoint("afterNotices");
      const { rows } = await database.execute(DELETE_NOTICES, { ids: toTextArray(ids) }, deadline);
      return rows.map(([id]) => String(id));
    },

    async release(worker, deliveryIds, deadline) {
      await database.execute(RELEASE, { worker, ids: toTextArray(deliveryIds) }, deadline);
    },

    async nextDueAt(mostOfOne, deadline) {
      const { rows } = await database.execute(NEXT_DUE, { most_of_one: String(mostOfOne) }, deadline);
      const at = rows[0]?.[0];
      return typeof at === "string" ? at : undefined;
    },

    async planWake(at, deadline) {
      const { rows } = await database.execute(PLAN_WAKE, { at }, deadline);
      return typeof rows[0]?.[0] === "string";
    },
  };
}

/** Tells whether one subscription or redelivery may be the cause of an error: its condition fails, or takes too long. */
function isOfOne(error: unknown): boolean {
  if (!(error instanceof DatabaseError)) return false;
  return error.disposition === "dead-letter" || error.reason === "statement_timeout" || error.sqlState === "57014";
}

const toParameters = ({ most, mostOfOne, leaseSeconds, fast = [], mostOfFast = mostOfOne }: ClaimBounds) => ({
  most: String(most),
  most_of_one: String(mostOfOne),
  seconds: String(leaseSeconds),
  fast: toTextArray(fast),
  most_of_fast: String(mostOfFast),
});

/** As each delivery has them: the reading of a record, which takes its nulls away, costs more than all else here. */
type ClaimedFacts = Omit<ClaimedDelivery, "id" | "batchId" | "event"> & { batchId: string | null; event: number };

function toClaim(rows: readonly SqlValue[][]) {
  const textsOf = (wanted: string) => {
    const texts = new Map<string, string>();
    for (const [part, rowId, , piece] of rows) {
      const id = String(rowId);
      if (part === wanted) texts.set(id, (texts.get(id) ?? "") + String(piece));
    }
    return texts;
  };
  const events = textsOf("event");
  const subscriptions = textsOf("subscription");
  const deliveries: ClaimedDelivery[] = [];
  for (const [part, id, text, piece] of rows) {
    if (part !== "delivery") continue;
    const { event, batchId, ...delivery } = JSON.parse(String(text)) as ClaimedFacts;
    // The first delivery of a short event has its text.
    if (piece !== "") events.set(String(event), String(piece));
    const body = events.get(String(event)) ?? "";
    deliveries.push({ id: String(id), ...delivery, batchId: batchId ?? undefined, event: body });
  }
  return {
    subscriptions: [...subscriptions.values()].map((text) => toRecord(text) as ClaimedSubscription),
    deliveries,
  };
}

const READ_DUE = `select id, version, piece, is_open, subscriptions, is_cut, has_notices
  from read_due_subscriptions(${textArray(":without")}, ${DISPATCH_FILTERS_MAX_BYTES})`;
const DISPATCH = `select dispatched, matched, unfinished, is_open
  from dispatch_subscriptions(cast(:given as jsonb), cast(:most as integer), ${DISPATCH_STATEMENT_MS})`;
const NEXT_REDELIVERY = `select id, others, piece from next_redelivery(${textArray(":without")})
  left join lateral cut_text(request) on true`;
const TAKE = `select taken, is_at_end from take_failed_deliveries(
    :id, :condition, ${textArray(":condition_texts")}, cast(:most as integer), ${REDELIVER_STATEMENT_MS}
  )`;
const CLAIM = `select part, id, facts, piece from claim_deliveries(
    :worker, cast(:most as integer), cast(:most_of_one as integer), cast(:seconds as integer), ${CIRCUIT_PROBE_SECONDS},
    ${CLAIM_MAX_BYTES}, ${textArray(":fast")}, cast(:most_of_fast as integer)
  )`;
const RESULTS = `:worker, cast(:results as jsonb), ${CIRCUIT_FAILURES}, ${CIRCUIT_WINDOW_SECONDS}, ${CIRCUIT_WINDOW_MIN},
    ${CIRCUIT_PROBE_SECONDS}, ${DISABLE_AFTER_HOURS}, array[${NOTICE_PERCENTS.join(", ")}]`;
const SETTLE = `select settle_deliveries(${RESULTS})`;
const SETTLE_AND_CLAIM = `select part, id, facts, piece from settle_and_claim(
    ${RESULTS}, cast(:most as integer), cast(:most_of_one as integer), cast(:seconds as integer), ${CLAIM_MAX_BYTES},
    ${textArray(":fast")}, cast(:most_of_fast as integer)
  )`;
const NOTICES = "select read_notices(cast(:most as integer))";
const DELETE_NOTICES = `select delete_notices(${textArray(":ids")})`;
const RELEASE = `select release_deliveries(:worker, ${textArray(":ids")})`;
const NEXT_DUE = "select next_delivery_due(cast(:most_of_one as integer))";
const PLAN_WAKE = "select cast(plan_wake(cast(:at as timestamptz)) as text)";
