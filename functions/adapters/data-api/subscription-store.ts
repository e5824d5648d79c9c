import { LIST_PAGE_MAX_BYTES } from "../../core/list-limits.ts";
import type { SqlDatabase } from "../../core/ports.ts";
import type { Attempt, Delivery, DeliveryLedger, FailureGroup } from "../../core/delivery.ts";
import type { Redelivery } from "../../core/redelivery.ts";
import type { ListPage, SubscriptionStore } from "../../core/subscription-store.ts";
import {
  FAILURE_GROUPS_MAX,
  FREE_MAX,
  FREE_MS,
  MATCHES_MAX,
  REDELIVERIES_MAX_RUNNING,
  SECRETS_MAX,
  SUBSCRIPTIONS_MAX,
} from "../../core/subscription-limits.ts";
import { deadLetterCondition } from "./dead-letter-condition.ts";
import { toPlace } from "./list-place.ts";
import { joinPieces } from "./join-pieces.ts";
import { joinById, toNumberedPage, toRecord, toSubscription } from "./subscription-record.ts";
import { textArray } from "./text-array.ts";

/** Subscriptions in PostgreSQL; the functions are documented in functions/sql/0009_subscriptions.sql. */
export function createSubscriptionStore(
  database: Pick<SqlDatabase, "execute">,
  { freeMost = FREE_MAX }: { freeMost?: number } = {},
): SubscriptionStore {
  type Parameters = Record<string, string | null>;
  const readText = async (call: string, parameters: Parameters, deadline: number) => {
    const { rows } = await database.execute(`select piece from cut_text(${call})`, parameters, deadline);
    return rows[0]?.[0] === null ? undefined : joinPieces(rows);
  };
  const readSubscription = async (call: string, parameters: Parameters, deadline: number) => {
    const text = await readText(call, parameters, deadline);
    return text === undefined ? undefined : toSubscription(text);
  };
  const readRedelivery = async (call: string, parameters: Parameters, deadline: number) => {
    const text = await readText(call, parameters, deadline);
    return text === undefined ? undefined : toRedelivery(text);
  };

  /** Frees deliveries in statements that end quickly: a long one would hold the subscription, and the horizon. */
  async function free(tenant: string, id: string, triedBefore: string | null, deadline: number): Promise<void> {
    const parameters = { tenant, id, tried_before: triedBefore, most: String(freeMost) };
    const endsAt = Math.min(deadline, Date.now() + FREE_MS);
    for (let freed = freeMost; freed >= freeMost; ) {
      const { rows } = await database.execute(FREE, parameters, endsAt);
      freed = Number(rows[0]?.[0]);
    }
  }

  /** A page may end before its limit: its records are as many as one result holds. */
  async function listById<T extends { id: string }>(
    call: string,
    parameters: Parameters,
    { after = null, limit }: { after?: string | null | undefined; limit: number },
    toItem: (text: string) => T,
    deadline: number,
  ): Promise<ListPage<T>> {
    const given = { ...parameters, after, most: String(limit) };
    const { rows } = await database.execute(`select id, piece from ${call}`, given, deadline);
    const items = joinById(rows.filter(([id]) => id !== null)).map(toItem);
    return { items, next: rows.at(-1)?.[0] === null ? items.at(-1)?.id : undefined };
  }

  return {
    async create({ start, sealed = null, sink, ...settings }, deadline) {
      const parameters = {
        given: JSON.stringify({ ...settings, sink: JSON.stringify(sink) }),
        start: JSON.stringify(start),
        sealed,
      };
      const text = await readText(CREATE, parameters, deadline);
      return text === "expired" || text === "full" ? text : toSubscription(text ?? "");
    },

    async count(tenant, deadline) {
      const { rows } = await database.execute("select count_subscriptions(:tenant)", { tenant }, deadline);
      return Number(rows[0]?.[0]);
    },

    read: (tenant, id, deadline) => readSubscription("read_subscription(:tenant, :id)", { tenant, id }, deadline),

    list: (tenant, page, deadline) => listById(LIST, { tenant }, page, toSubscription, deadline),

    async change(tenant, id, { sink, ...changes }, deadline) {
      const given = JSON.stringify({ ...changes, ...(sink && { sink: JSON.stringify(sink) }) });
      const changed = await readSubscription(CHANGE, { tenant, id, changes: given }, deadline);
      if (changed !== undefined && changes.order === "none") await free(tenant, id, null, deadline);
      return changed;
    },

    async remove(tenant, id, deadline) {
      const { rows } = await database.execute("select remove_subscription(:tenant, :id)", { tenant, id }, deadline);
      return rows[0]?.[0] === true;
    },

    async setState(tenant, id, state, deadline) {
      const changed = await readSubscription(SET_STATE, { tenant, id, state }, deadline);
      if (changed?.state === "active") await free(tenant, id, changed.updatedAt, deadline);
      return changed;
    },

    async seek(tenant, id, start, deadline) {
      const { rows } = await database.execute(SEEK, { tenant, id, start: JSON.stringify(start) }, deadline);
      if (rows[0]?.[0] !== true) return undefined;
      return rows[0][1] === null
        ? "expired"
        : toSubscription(joinPieces(rows.map(([, piece = null]) => [piece])) ?? "");
    },

    async addSecret(tenant, id, sealed, overlapHours, deadline) {
      const text = await readText(ADD_SECRET, { tenant, id, sealed, hours: String(overlapHours) }, deadline);
      if (text?.startsWith(FULL)) return { fullUntil: text.slice(FULL.length) };
      return text === undefined ? undefined : toSubscription(text);
    },

    async ledger(tenant, id, deadline): Promise<DeliveryLedger | undefined> {
      const { rows } = await database.execute(LEDGER, { tenant, id }, deadline);
      const [row] = rows;
      if (row === undefined) return undefined;
      const [matched = 0, delivered = 0, pending = 0, failed = 0, skipped = 0] = row.map(Number);
      return { matched, delivered, pending, failed, skipped };
    },

    async listAttempts(tenant, id, { status, code, eventId, from, to }, { after, limit }, deadline) {
      const selection = {
        status: status ?? null,
        code: code === undefined ? null : String(code),
        event: eventId ?? null,
      };
      const range = { from: from ?? null, to: to ?? null };
      const parameters = { tenant, id, ...selection, ...range, after: toPlace(after), most: String(limit + 1) };
      const { rows } = await database.execute(LIST_ATTEMPTS, parameters, deadline);
      return toNumberedPage(rows, limit) as ListPage<Attempt>;
    },

    async listDeliveries(tenant, id, { state = null, eventId = null }, { after, limit }, deadline) {
      const parameters = { tenant, id, state, event: eventId, after: toPlace(after), most: String(limit + 1) };
      const { rows } = await database.execute(LIST_DELIVERIES, parameters, deadline);
      return toNumberedPage(rows, limit) as ListPage<Delivery>;
    },

    async groupFailures(tenant, id, deadline) {
      const { rows } = await database.execute(GROUP_FAILURES, { tenant, id }, deadline);
      return rows.map(([group]) => toRecord(group) as FailureGroup);
    },

    async planRedelivery(tenant, id, { filter, ...selection }, deadline) {
      const condition = deadLetterCondition(filter);
      const parameters = { tenant, id, ...condition, selection: JSON.stringify(selection) };
      const { rows } = await database.execute(PLAN, parameters, deadline);
      const [[planned, , until] = [], ...sample] = rows;
      const { limit = Number.POSITIVE_INFINITY } = selection;
      return {
        planned: Math.min(Number(planned), limit),
        until: String(until),
        sample: sample.slice(0, limit).map(([, delivery]) => toRecord(delivery) as Delivery),
      };
    },

    async startRedelivery({ id, subscriptionId, request, planned, keyId }, deadline) {
      const given = { id, subscription: subscriptionId, request: JSON.stringify(request), key: keyId };
      const text = await readText(START, { ...given, planned: String(planned) }, deadline);
      return text === "full" ? text : toRedelivery(text ?? "");
    },

    readRedelivery: (tenant, id, deadline) => readRedelivery("read_redelivery(:tenant, :id)", { tenant, id }, deadline),

    listRedeliveries: (tenant, subscriptionId, page, deadline) =>
      listById(LIST_REDELIVERIES, { tenant, id: subscriptionId }, page, toRedelivery, deadline),

    cancelRedelivery: (tenant, id, deadline) =>
      readRedelivery("cancel_redelivery(:tenant, :id)", { tenant, id }, deadline),
  };
}

const toRedelivery = (text: string) => toRecord(text) as Redelivery;

const FULL = "full ";

const CREATE = `create_subscription(cast(:given as jsonb), cast(:start as jsonb), :sealed, ${SUBSCRIPTIONS_MAX})`;
const SET_STATE = "set_subscription_state(:tenant, :id, :state)";
const FREE = "select free_deliveries(:tenant, :id, cast(:tried_before as timestamptz), cast(:most as integer))";
const LIST = `list_subscriptions(:tenant, :after, cast(:most as integer), ${LIST_PAGE_MAX_BYTES})`;
const CHANGE = "change_subscription(:tenant, :id, cast(:changes as jsonb))";
const SEEK = `select is_there, piece from seek_subscription(:tenant, :id, cast(:start as jsonb))
  left join lateral cut_text(subscription) on true`;
const ADD_SECRET = `add_subscription_secret(:tenant, :id, :sealed, cast(:hours as double precision), ${SECRETS_MAX})`;
const LEDGER = "select matched, delivered, pending, failed, skipped from subscription_ledger(:tenant, :id)";
const LIST_ATTEMPTS = `select place, attempt from list_attempts(
    :tenant, :id, :status, cast(:code as integer), :event, cast(:from as timestamptz), cast(:to as timestamptz),
    cast(:after as bigint), cast(:most as integer)
  )`;
const LIST_DELIVERIES = `select place, delivery from list_deliveries(
    :tenant, :id, :state, :event, cast(:after as bigint), cast(:most as integer)
  )`;
const GROUP_FAILURES = `select failure_group from group_failed_deliveries(:tenant, :id, ${FAILURE_GROUPS_MAX})`;
const PLAN = `select planned, delivery, until from plan_redelivery(
    :tenant, :id, cast(:selection as jsonb), :condition, ${textArray(":condition_texts")}, ${MATCHES_MAX}
  )`;
const START = `start_redelivery(
    :id, :subscription, :request, :key, cast(:planned as bigint), ${REDELIVERIES_MAX_RUNNING}
  )`;
const LIST_REDELIVERIES = `list_redeliveries(:tenant, :id, :after, cast(:most as integer), ${LIST_PAGE_MAX_BYTES})`;
