import { createHash } from "node:crypto";
import { toPlace } from "../../functions/adapters/data-api/list-place.ts";
import { DatabaseError } from "../../functions/core/errors.ts";
import { parseFilter } from "../../functions/core/filter/filter.ts";
import { type FilterableEvent, toPredicate } from "../../functions/core/filter/predicate.ts";
import { parseLossless } from "../../functions/core/lossless-json.ts";
import { matchesAny } from "../../functions/core/patterns.ts";
import type { Clock, StorableEvent } from "../../functions/core/ports.ts";
import type { Attempt, Delivery, DeliveryLedger, DeliveryState, FailureGroup } from "../../functions/core/delivery.ts";
import type {
  AttemptResult,
  ClaimedDelivery,
  ClaimedSubscription,
  DeliveryWork,
  SubscriptionNotice,
} from "../../functions/core/delivery-work.ts";
import type { FailureSelection, Redelivery } from "../../functions/core/redelivery.ts";
import type { SealedSecret, Start, Subscription } from "../../functions/core/subscription.ts";
import type { ListPage, PageOf, SubscriptionStore } from "../../functions/core/subscription-store.ts";
import {
  CIRCUIT_FAILURES,
  CIRCUIT_PROBE_SECONDS,
  CIRCUIT_WINDOW_MIN,
  CIRCUIT_WINDOW_SECONDS,
  CLAIM_MAX_BYTES,
  DISABLE_AFTER_HOURS,
  FAILURE_GROUPS_MAX,
  MATCHES_MAX,
  NOTICE_PERCENTS,
  REDELIVERIES_MAX_RUNNING,
  SECRETS_MAX,
  SUBSCRIPTIONS_MAX,
} from "../../functions/core/subscription-limits.ts";

const HOUR_MS = 3_600_000;
const INCARNATION = "00000000-0000-4000-8000-000000000000";

/** An event in the order of the feed: `transaction` is the number of the call that stored it. */
type Stored = StorableEvent & { transaction: number; json: string; filterable: FilterableEvent };

type Row = {
  number: number;
  id: string;
  subscriptionId: string;
  stored: Stored;
  /** Its subject, where the subscription keeps the order of subjects. */
  orderedBy: string | undefined;
  isBlocked: boolean;
  batchId: string | undefined;
  state: DeliveryState;
  attempts: number;
  scheduleAttempts: number;
  scheduleFrom: number;
  dueAt: number;
  leasedBy: string | undefined;
  lastAt: string | undefined;
  code: number | undefined;
  error: string | undefined;
  redeliveryId: string | undefined;
};

type Entry = {
  subscription: Subscription;
  secrets: SealedSecret[];
  /** The next transaction, and the place of an event in it behind which it goes on. */
  cursor: number;
  behind: string | undefined;
  generation: number;
  matched: number;
  tokens: number;
  tokensAt: number;
  claimedAt: number;
  openUntil: number | undefined;
  probeId: string | undefined;
  failures: number;
  window: { began: number; attempts: number; failures: number };
  failingSince: number | undefined;
  noticed: number;
};

type Job = { tenant: string; redelivery: Redelivery; after: number; until: number; isTaken: boolean };

/**
 * Subscriptions and deliveries in memory, with the contract of the adapters (test/support/conformance/deliveries.ts). Time
 * passes by the clock that is given.
 */
export function memoryDeliveries({ clock = () => new Date() }: { clock?: Clock } = {}) {
  const entries = new Map<string, Entry>();
  const jobs = new Map<string, Job>();
  let events: Stored[] = [];
  let rows: Row[] = [];
  let notices: SubscriptionNotice[] = [];
  let attempts: (Attempt & { subscriptionId: string; sequence: number })[] = [];
  let [transactions, rowNumbers, sequence] = [0, 0, 0];
  let heldAt: number | undefined;
  let plannedWake: number | undefined;
  let isDown = false;

  const now = () => clock().getTime();
  const iso = (ms: number) => new Date(ms).toISOString();
  const horizon = () => heldAt ?? transactions + 1;
  const check = () => {
    if (isDown) throw new DatabaseError({ disposition: "retry", reason: "database_unavailable", detail: "down" });
  };
  const find = (tenant: string, id: string) => {
    check();
    const entry = entries.get(id);
    return entry?.subscription.tenant === tenant ? entry : undefined;
  };
  const rowsOf = (entry: Entry) => rows.filter((row) => row.subscriptionId === entry.subscription.id);
  const pendingOf = (entry: Entry) => rowsOf(entry).filter(({ state }) => state === "pending");
  const isUnknown = ({ window }: Entry) => window.attempts <= window.failures;
  const show = ({ subscription, openUntil, failingSince }: Entry): Subscription => ({
    ...subscription,
    openUntil: openUntil === undefined ? undefined : iso(openUntil),
    failingSince: failingSince === undefined ? undefined : iso(failingSince),
  });
  const touch = (entry: Entry, changes: Partial<Subscription>) => {
    entry.subscription = { ...entry.subscription, ...changes, updatedAt: iso(now()) };
    return show(entry);
  };

  /** The first transaction of a start, and the place in it; undefined where the place cannot be followed. */
  function placeOf(tenant: string, start: Start): Pick<Entry, "cursor" | "behind"> | undefined {
    const own = events.filter((event) => event.tenant === tenant && event.transaction < horizon());
    const behindAll = (own.at(-1)?.transaction ?? 0) + 1;
    if (start.kind === "now") return { cursor: behindAll, behind: undefined };
    if (start.kind === "time") {
      const at = Date.parse(start.at);
      const first = own.find(({ receivedAt }) => Date.parse(receivedAt) >= at);
      return { cursor: first?.transaction ?? behindAll, behind: undefined };
    }
    const { incarnation, number, event } = start.place;
    if (incarnation !== INCARNATION) return undefined;
    if (event === null) return { cursor: Number(number) + 1, behind: undefined };
    const seen = own.find((each) => each.transaction === Number(number) && each.event.id === event);
    return { cursor: Number(number), behind: seen && placeIn(seen) };
  }

  /** Of the pending ones of a subject one is free: the first, once there is none. */
  function unblock({ subscriptionId, orderedBy }: Row): void {
    const own = rows.filter(
      (row) => row.subscriptionId === subscriptionId && row.orderedBy === orderedBy && row.state === "pending",
    );
    const [first] = own.toSorted((a, b) => a.number - b.number);
    if (orderedBy !== undefined && first !== undefined && own.every(({ isBlocked }) => isBlocked))
      first.isBlocked = false;
  }

  const tokensOf = (entry: Entry) => {
    const { rate } = entry.subscription;
    if (rate === undefined) return Number.POSITIVE_INFINITY;
    return Math.min(Math.max(rate, 1), entry.tokens + (rate * (now() - entry.tokensAt)) / 1_000);
  };

  function selected(entry: Entry, { filter, codes, from, to }: FailureSelection): Row[] {
    const matches = filter === undefined ? () => true : predicateOf(filter);
    return rowsOf(entry).filter(
      (row) =>
        row.state === "failed" &&
        (codes === undefined || (row.code !== undefined && codes.includes(row.code))) &&
        (from === undefined || Date.parse(row.lastAt ?? "") >= Date.parse(from)) &&
        (to === undefined || Date.parse(row.lastAt ?? "") < Date.parse(to)) &&
        (filter === undefined || (events.includes(row.stored) && matches(row.stored.filterable))),
    );
  }

  function end(row: Row, state: Exclude<DeliveryState, "pending">): void {
    row.state = state;
    row.leasedBy = undefined;
    row.isBlocked = false;
    unblock(row);
    const job = row.redeliveryId === undefined ? undefined : jobs.get(row.redeliveryId);
    if (job === undefined) return;
    job.redelivery[state === "delivered" ? "delivered" : "failed"] += 1;
    endJob(job);
  }

  function endJob({ redelivery, isTaken }: Job): void {
    if (redelivery.state !== "running" || !isTaken) return;
    if (redelivery.delivered + redelivery.failed < redelivery.taken) return;
    redelivery.state = "done";
    redelivery.finishedAt = iso(now());
  }

  const store: SubscriptionStore = {
    async create({ start, sealed, ...settings }) {
      check();
      const own = [...entries.values()].filter(({ subscription }) => subscription.tenant === settings.tenant);
      if (own.length >= SUBSCRIPTIONS_MAX && !entries.has(settings.id)) return "full";
      const place = placeOf(settings.tenant, start);
      if (place === undefined) return "expired";
      const at = iso(now());
      const entry: Entry = {
        subscription: {
          ...settings,
          state: "active",
          disabledReason: undefined,
          disabledAt: undefined,
          failingSince: undefined,
          openUntil: undefined,
          createdAt: at,
          updatedAt: at,
        },
        secrets: sealed === undefined ? [] : [{ number: 1, sealed, createdAt: at, until: undefined }],
        ...place,
        generation: 1,
        matched: 0,
        tokens: Math.max(settings.rate ?? 1, 1),
        tokensAt: now(),
        claimedAt: 0,
        openUntil: undefined,
        probeId: undefined,
        failures: 0,
        window: { began: now(), attempts: 0, failures: 0 },
        failingSince: undefined,
        noticed: 0,
      };
      entries.set(settings.id, entry);
      return show(entry);
    },
    async count(tenant) {
      check();
      return [...entries.values()].filter(({ subscription }) => subscription.tenant === tenant).length;
    },
    async read(tenant, id) {
      const entry = find(tenant, id);
      return entry && show(entry);
    },
    async list(tenant, page) {
      check();
      const own = [...entries.values()].filter(({ subscription }) => subscription.tenant === tenant).map(show);
      return pageById(own, page);
    },
    async change(tenant, id, changes) {
      const entry = find(tenant, id);
      if (entry === undefined) return undefined;
      if (changes.sink !== undefined) close(entry);
      const given = Object.entries(changes).filter(([, value]) => value !== undefined);
      if (changes.order === "none") for (const row of pendingOf(entry)) row.isBlocked = false;
      return touch(entry, Object.fromEntries(given.map(([name, value]) => [name, value ?? undefined])));
    },
    async remove(tenant, id) {
      if (find(tenant, id) === undefined) return false;
      entries.delete(id);
      rows = rows.filter(({ subscriptionId }) => subscriptionId !== id);
      attempts = attempts.filter(({ subscriptionId }) => subscriptionId !== id);
      for (const job of jobs.values()) if (job.redelivery.subscriptionId === id) jobs.delete(job.redelivery.id);
      return true;
    },
    async setState(tenant, id, state) {
      const entry = find(tenant, id);
      if (entry === undefined) return undefined;
      if (state === "disabled") {
        if (entry.subscription.state === "disabled") return show(entry);
        return touch(entry, { state, disabledReason: "requested", disabledAt: iso(now()) });
      }
      close(entry);
      for (const row of pendingOf(entry)) if (row.leasedBy === undefined) row.dueAt = Math.min(row.dueAt, now());
      return touch(entry, { state, disabledReason: undefined, disabledAt: undefined });
    },
    async seek(tenant, id, start) {
      const entry = find(tenant, id);
      if (entry === undefined) return undefined;
      const place = placeOf(tenant, start);
      if (place === undefined) return "expired";
      Object.assign(entry, place);
      entry.generation += 1;
      return touch(entry, {});
    },
    async addSecret(tenant, id, sealed, overlapHours) {
      const entry = find(tenant, id);
      if (entry === undefined) return undefined;
      const ends = entry.secrets.map((secret) => Date.parse(secret.until ?? "9999-01-01")).filter((at) => at > now());
      if (overlapHours > 0 && ends.length >= SECRETS_MAX) return { fullUntil: iso(Math.min(...ends)) };
      const until = now() + overlapHours * HOUR_MS;
      const old = entry.secrets.map((secret) => ({
        ...secret,
        until: iso(Math.min(until, Date.parse(secret.until ?? iso(until)))),
      }));
      const number = Math.max(0, ...entry.secrets.map((secret) => secret.number)) + 1;
      entry.secrets = [{ number, sealed, createdAt: iso(now()), until: undefined }, ...old].filter(
        (secret) => secret.until === undefined || Date.parse(secret.until) > now(),
      );
      return touch(entry, {});
    },
    async ledger(tenant, id): Promise<DeliveryLedger | undefined> {
      const entry = find(tenant, id);
      if (entry === undefined) return undefined;
      const count = (state: DeliveryState) => rowsOf(entry).filter((row) => row.state === state).length;
      return {
        matched: entry.matched,
        delivered: count("delivered"),
        pending: count("pending"),
        failed: count("failed"),
        skipped: count("skipped"),
      };
    },
    async listAttempts(tenant, id, { status, code, eventId, from, to }, page) {
      const isOwn = find(tenant, id) !== undefined;
      const own = attempts.filter(
        (each) =>
          isOwn &&
          each.subscriptionId === id &&
          (status === undefined || each.status === status) &&
          (code === undefined || each.code === code) &&
          (eventId === undefined || each.eventId === eventId) &&
          (from === undefined || Date.parse(each.at) >= Date.parse(from)) &&
          (to === undefined || Date.parse(each.at) < Date.parse(to)),
      );
      const { items, next } = pageByNumber(own, ({ sequence: number }) => number, page);
      return {
        items: items.map(({ subscriptionId: _subscriptionId, sequence: _sequence, ...attempt }) => attempt),
        next,
      };
    },
    async listDeliveries(tenant, id, { state, eventId }, page) {
      const entry = find(tenant, id);
      const own = (entry === undefined ? [] : rowsOf(entry)).filter(
        (row) =>
          (state === undefined || row.state === state) && (eventId === undefined || row.stored.event.id === eventId),
      );
      const { items, next } = pageByNumber(own, ({ number }) => number, page);
      return { items: items.map(toDelivery), next };
    },
    async groupFailures(tenant, id): Promise<FailureGroup[]> {
      const entry = find(tenant, id);
      const failed = (entry === undefined ? [] : rowsOf(entry)).filter(({ state }) => state === "failed");
      return [...Map.groupBy(failed, ({ code, error }) => JSON.stringify([code, error])).values()]
        .map((group) => {
          const byTime = group.toSorted(
            (a, b) => Date.parse(a.lastAt ?? "") - Date.parse(b.lastAt ?? "") || a.number - b.number,
          );
          const [first, last] = [byTime[0] as Row, byTime.at(-1) as Row];
          return {
            code: first.code,
            error: first.error ?? "",
            count: group.length,
            firstAt: String(first.lastAt),
            lastAt: String(last.lastAt),
            sample: toDelivery(last),
          };
        })
        .toSorted((a, b) => b.count - a.count)
        .slice(0, FAILURE_GROUPS_MAX);
    },
    async planRedelivery(tenant, id, request) {
      const entry = find(tenant, id);
      const found = entry === undefined ? [] : selected(entry, request);
      return {
        planned: Math.min(found.length, request.limit ?? found.length),
        until: found
          .map(({ lastAt }) => new Date(Date.parse(String(lastAt)) + 1).toISOString())
          .reduce((latest, each) => (each > latest ? each : latest), iso(0)),
        sample: found.slice(0, Math.min(MATCHES_MAX, request.limit ?? MATCHES_MAX)).map(toDelivery),
      };
    },
    async startRedelivery({ id, subscriptionId, request, planned, keyId }) {
      check();
      const tenant = entries.get(subscriptionId)?.subscription.tenant ?? "";
      const known = jobs.get(id);
      const running = [...jobs.values()].filter(
        (job) => job.redelivery.subscriptionId === subscriptionId && job.redelivery.state === "running",
      );
      if (known === undefined && running.length >= REDELIVERIES_MAX_RUNNING) return "full";
      const redelivery: Redelivery = known?.redelivery ?? {
        id,
        subscriptionId,
        request,
        planned,
        keyId,
        state: "running",
        taken: 0,
        delivered: 0,
        failed: 0,
        createdAt: iso(now()),
        finishedAt: undefined,
      };
      if (known === undefined) jobs.set(id, { tenant, redelivery, after: 0, until: rowNumbers, isTaken: false });
      return { ...redelivery };
    },
    async readRedelivery(tenant, id) {
      check();
      const job = jobs.get(id);
      return job?.tenant === tenant ? { ...job.redelivery } : undefined;
    },
    async listRedeliveries(tenant, subscriptionId, page) {
      check();
      const own = [...jobs.values()].filter(
        (job) => job.tenant === tenant && job.redelivery.subscriptionId === subscriptionId,
      );
      return pageById(
        own.map(({ redelivery }) => ({ ...redelivery })),
        page,
      );
    },
    async cancelRedelivery(tenant, id) {
      check();
      const job = jobs.get(id);
      if (job?.tenant !== tenant) return undefined;
      if (job.redelivery.state === "running") {
        job.redelivery.state = "cancelled";
        job.redelivery.finishedAt = iso(now());
      }
      return { ...job.redelivery };
    },
  };

  const work: DeliveryWork = {
    async dispatch() {
      check();
      let matched = 0;
      const active = [...entries.values()].filter(({ subscription }) => subscription.state === "active");
      for (const entry of active) matched += dispatchAll(entry);
      const facts = { isAtEnd: true, isOpen: heldAt !== undefined, hasNotices: notices.length > 0 };
      return { ...facts, matched, subscriptions: entries.size, failing: [] };
    },

    async redeliver(most) {
      check();
      let taken = 0;
      for (const job of jobs.values()) {
        const { redelivery } = job;
        if (redelivery.state !== "running" || job.isTaken) continue;
        const entry = entries.get(redelivery.subscriptionId);
        const room = Math.min(most - taken, (redelivery.request.limit ?? Number.POSITIVE_INFINITY) - redelivery.taken);
        const next = (entry === undefined ? [] : selected(entry, redelivery.request)).filter(
          ({ number, lastAt }) => number > job.after && number <= job.until && (lastAt ?? "") <= redelivery.createdAt,
        );
        const own = next.slice(0, room);
        const batches = new Set(own.flatMap(({ batchId }) => batchId ?? []));
        const others = next.slice(room).filter(({ batchId }) => batchId !== undefined && batches.has(batchId));
        const limit = redelivery.request.limit ?? Number.POSITIVE_INFINITY;
        if (redelivery.taken + own.length + others.length <= limit) own.push(...others);
        for (const id of batches) {
          const rest = rows.filter((row) => row.batchId === id && row.state === "failed" && !own.includes(row));
          if (rest.length > 0) for (const row of own) if (row.batchId === id) row.batchId = undefined;
        }
        for (const row of own) {
          Object.assign(row, { state: "pending", dueAt: now(), scheduleAttempts: 0, scheduleFrom: now() });
          row.redeliveryId = redelivery.id;
          row.isBlocked = row.orderedBy !== undefined;
          unblock(row);
          if (!others.includes(row)) job.after = row.number;
          redelivery.taken += 1;
          taken += 1;
        }
        job.isTaken = next.length <= room || redelivery.taken === redelivery.request.limit;
        endJob(job);
      }
      const isAtEnd = [...jobs.values()].every((job) => job.redelivery.state !== "running" || job.isTaken);
      return { taken, isAtEnd, failing: [] };
    },

    async claim(worker, { most, mostOfOne, leaseSeconds, fast = [], mostOfFast = mostOfOne }) {
      check();
      const subscriptions: ClaimedSubscription[] = [];
      const chosen: { row: Row; rank: number; entry: Entry; room: number }[] = [];
      const waiting = [...entries.values()].toSorted((a, b) => a.claimedAt - b.claimedAt);
      for (const entry of waiting) {
        if (entry.subscription.state !== "active" || (entry.openUntil ?? 0) > now()) continue;
        const pending = pendingOf(entry);
        const leased = pending.filter((row) => row.leasedBy !== undefined && row.dueAt > now()).length;
        const isOfAnother = pending.some(
          (row) => row.leasedBy !== undefined && row.leasedBy !== worker && row.dueAt > now(),
        );
        if (isUnknown(entry) && isOfAnother) continue;
        const ofOne = fast.includes(entry.subscription.id) ? mostOfFast : mostOfOne;
        const bound = Math.max(ofOne, entry.subscription.batch);
        const room = Math.min(
          bound - leased,
          entry.openUntil === undefined ? bound : 1,
          Math.floor(tokensOf(entry) + 1e-9),
        );
        pending
          .filter((row) => row.dueAt <= now() && !row.isBlocked)
          .toSorted((a, b) => a.dueAt - b.dueAt || a.number - b.number)
          .slice(0, Math.max(room, 0))
          .forEach((row, rank) => chosen.push({ row, rank, entry, room }));
      }
      const deliveries: ClaimedDelivery[] = [];
      let bytes = 0;
      const open = new Map<string, { id: string; size: number }>();
      const first = chosen.toSorted((a, b) => a.rank - b.rank).slice(0, most);
      const begun: Row[] = [];
      const units = first.flatMap(({ row, entry, room }) => {
        const ofOne = begun.filter(({ subscriptionId }) => subscriptionId === entry.subscription.id);
        if (begun.includes(row) || begun.length >= most || ofOne.length >= room) return [];
        const members = membersOf(row, entry);
        begun.push(...members);
        return [{ entry, members }];
      });
      for (const { row, entry, ahead } of units.flatMap(({ entry, members }) =>
        members.map((row, at) => ({ row, entry, ahead: at === 0 ? members : [] })),
      )) {
        if (deliveries.some(({ id }) => id === row.id)) continue;
        if (!events.includes(row.stored)) {
          end(row, "skipped");
          continue;
        }
        const size = ahead.reduce((sum, { stored }) => sum + stored.json.length, 0);
        if (bytes + size > CLAIM_MAX_BYTES && deliveries.length > 0) break;
        bytes += row.stored.json.length;
        const { subscription } = entry;
        if (row.batchId === undefined && subscription.batch > 1 && row.attempts === 0 && row.leasedBy === undefined) {
          let last = open.get(subscription.id);
          if (last === undefined || last.size >= subscription.batch)
            open.set(subscription.id, (last = { id: `dlv_${md5(`batch ${row.id}`)}`, size: 0 }));
          last.size += 1;
          row.batchId = last.id;
        }
        if (!subscriptions.some(({ id }) => id === subscription.id)) {
          const isProbe = entry.openUntil !== undefined;
          if (isProbe) {
            entry.openUntil = now() + CIRCUIT_PROBE_SECONDS * 1_000;
            entry.probeId = row.id;
          }
          const { id, tenant, name, sink, schedule, batch, timeoutMs, failingSince } = show(entry);
          const secrets = entry.secrets.filter(({ until }) => until === undefined || Date.parse(until) > now());
          subscriptions.push({ id, tenant, name, sink, schedule, batch, timeoutMs, failingSince, secrets, isProbe });
        }
        entry.tokens = tokensOf(entry) - 1;
        entry.tokensAt = now();
        entry.claimedAt = now();
        row.leasedBy = worker;
        row.dueAt = now() + leaseSeconds * 1_000;
        deliveries.push({
          id: row.id,
          subscriptionId: row.subscriptionId,
          batchId: row.batchId,
          attempt: row.attempts + 1,
          scheduleAttempt: row.scheduleAttempts + 1,
          matchedAt: iso(row.scheduleFrom),
          event: row.stored.json,
        });
      }
      return { subscriptions, deliveries };
    },

    async settle(worker, results) {
      check();
      const accepted = results.filter((result) => accept(worker, result));
      for (const [id, own] of Map.groupBy(accepted, ({ subscriptionId }) => subscriptionId)) {
        const entry = entries.get(id);
        if (entry !== undefined) notices.push(...judge(entry, own));
      }
      return notices.length > 0;
    },

    async settleAndClaim(worker, results, bounds, deadline) {
      const hasNotices = await work.settle(worker, results, deadline);
      return { hasNotices, claim: await work.claim(worker, bounds, deadline) };
    },

    async notices(most) {
      check();
      return notices.slice(0, most);
    },

    async deleteNotices(ids) {
      check();
      const [sent, kept] = [
        notices.filter(({ id }) => ids.includes(id)),
        notices.filter(({ id }) => !ids.includes(id)),
      ];
      notices = kept;
      return sent.map(({ id }) => id);
    },

    async release(worker, deliveryIds) {
      check();
      for (const row of rows) {
        const entry = entries.get(row.subscriptionId);
        if (entry === undefined || row.leasedBy !== worker || !deliveryIds.includes(row.id)) continue;
        row.leasedBy = undefined;
        row.dueAt = now();
        if (entry.subscription.rate !== undefined) entry.tokens += 1;
        if (entry.probeId === row.id) Object.assign(entry, { probeId: undefined, openUntil: now() });
      }
    },

    async nextDueAt(mostOfOne) {
      check();
      const times = [...entries.values()].flatMap((entry) => {
        if (entry.subscription.state !== "active") return [];
        const free = pendingOf(entry).filter((row) => !row.isBlocked);
        if (free.length === 0) return [];
        const leased = free.filter((row) => row.leasedBy !== undefined && row.dueAt > now());
        const isTaken =
          leased.length >= Math.max(mostOfOne, entry.subscription.batch) || (leased.length > 0 && isUnknown(entry));
        const due = (isTaken ? leased : free).map(({ dueAt }) => dueAt);
        const rate = entry.subscription.rate ?? Number.POSITIVE_INFINITY;
        const missing = Math.max(1 - tokensOf(entry), 0);
        return [
          Math.max(Math.min(...due), entry.openUntil ?? 0, missing > 1e-9 ? now() + (missing * 1_000) / rate : 0),
        ];
      });
      return times.length === 0 ? undefined : iso(Math.ceil(Math.min(...times)));
    },

    async planWake(at) {
      check();
      const wanted = Date.parse(at);
      if (plannedWake !== undefined && plannedWake > now() && plannedWake <= wanted) return false;
      plannedWake = wanted;
      return true;
    },
  };

  function dispatchAll(entry: Entry): number {
    const { id, tenant, filter, allowed, order } = entry.subscription;
    const matches = filter === undefined ? () => true : predicateOf(filter);
    const ahead = events.filter(
      (event) =>
        event.tenant === tenant &&
        event.transaction < horizon() &&
        (event.transaction > entry.cursor ||
          (event.transaction === entry.cursor && (entry.behind === undefined || placeIn(event) > entry.behind))),
    );
    let matched = 0;
    for (const stored of ahead) {
      const { event } = stored;
      if (!matchesAny(allowed.types, event.type) || !matchesAny(allowed.sources, event.source)) continue;
      if (!matches(stored.filterable)) continue;
      const key = JSON.stringify([id, entry.generation, event.source, event.id, stored.receivedAt]);
      const deliveryId = `dlv_${md5(key)}`;
      if (rows.some((row) => row.id === deliveryId)) continue;
      matched += 1;
      rows.push({
        number: (rowNumbers += 1),
        id: deliveryId,
        subscriptionId: id,
        stored,
        orderedBy: order === "subject" ? event.subject : undefined,
        isBlocked: order === "subject" && event.subject !== undefined,
        batchId: undefined,
        state: "pending",
        attempts: 0,
        scheduleAttempts: 0,
        scheduleFrom: now(),
        dueAt: now(),
        leasedBy: undefined,
        lastAt: undefined,
        code: undefined,
        error: undefined,
        redeliveryId: undefined,
      });
    }
    const last = ahead.at(-1);
    if (last !== undefined) Object.assign(entry, { cursor: last.transaction + 1, behind: undefined });
    for (const row of pendingOf(entry)) unblock(row);
    entry.matched += matched;
    return matched;
  }

  function accept(worker: string, result: AttemptResult): boolean {
    const row = rows.find(({ id }) => id === result.deliveryId);
    if (row?.leasedBy !== worker || row.state !== "pending" || row.attempts + 1 !== result.number) return false;
    const { deliveryId, number, status, code, at, durationMs, error, response, subscriptionId } = result;
    Object.assign(row, { attempts: number, lastAt: iso(Date.parse(at)), code, error, leasedBy: undefined });
    row.scheduleAttempts += 1;
    if (status === "later") row.dueAt = Date.parse(result.dueAt ?? at);
    else end(row, status);
    const eventId = row.stored.event.id;
    const attempt = { deliveryId, eventId, number, status, code, at: iso(Date.parse(at)), durationMs, error, response };
    attempts.push({ ...attempt, subscriptionId, sequence: (sequence += 1) });
    return true;
  }

  /** A delivery and those that are claimed with it: its batch. */
  function membersOf(row: Row, entry: Entry): Row[] {
    if (row.batchId === undefined) return [row];
    return pendingOf(entry).filter(
      (each) => each.batchId === row.batchId && (each.leasedBy === undefined || each.dueAt <= now()),
    );
  }

  /** The circuit and the time of failing after some results. */
  function judge(entry: Entry, results: readonly AttemptResult[]): SubscriptionNotice[] {
    const sentAs = ({ deliveryId }: AttemptResult) => rows.find(({ id }) => id === deliveryId)?.batchId ?? deliveryId;
    const requests = [...new Map(results.map((each) => [sentAs(each), each])).values()];
    for (const { status, deliveryId } of requests) {
      if (now() - entry.window.began >= CIRCUIT_WINDOW_SECONDS * 1_000)
        entry.window = { began: now(), attempts: 0, failures: 0 };
      entry.window.attempts += 1;
      if (status === "delivered") {
        entry.failures = 0;
        entry.failingSince = undefined;
        entry.noticed = 0;
        if (entry.probeId === deliveryId || results.some((each) => each.deliveryId === entry.probeId)) close(entry);
        continue;
      }
      entry.failures += 1;
      entry.window.failures += 1;
      entry.failingSince ??= now();
      const { attempts: tried, failures } = entry.window;
      const isBad = entry.failures >= CIRCUIT_FAILURES || (tried >= CIRCUIT_WINDOW_MIN && failures * 2 > tried);
      if (isBad) entry.openUntil ??= now() + CIRCUIT_PROBE_SECONDS * 1_000;
    }
    return notice(entry, results);
  }

  function notice(entry: Entry, results: readonly AttemptResult[]): SubscriptionNotice[] {
    const { id, tenant, name, state } = entry.subscription;
    if (state !== "active") return [];
    const failingSince = iso(entry.failingSince ?? now());
    const about = (percent: number | undefined): Omit<SubscriptionNotice, "kind"> => ({
      id: `${id}-${failingSince}-${percent ?? "ended"}`,
      subscriptionId: id,
      tenant,
      name,
      failingSince,
      percent,
      at: iso(now()),
    });
    if (results.some(({ isEnded }) => isEnded)) {
      touch(entry, { state: "disabled", disabledReason: "sink_ended", disabledAt: iso(now()) });
      return [{ ...about(undefined), kind: "disabled" }];
    }
    if (entry.failingSince === undefined) return [];
    const share = (100 * (now() - entry.failingSince)) / (DISABLE_AFTER_HOURS * HOUR_MS);
    const percent = NOTICE_PERCENTS.find((each) => each <= share && each > entry.noticed);
    if (percent === undefined) return [];
    entry.noticed = percent;
    if (percent < 100) return [{ ...about(percent), kind: "failing" }];
    touch(entry, { state: "disabled", disabledReason: "sink_failing", disabledAt: iso(now()) });
    return [{ ...about(percent), kind: "disabled" }];
  }

  function close(entry: Entry): void {
    entry.openUntil = undefined;
    entry.probeId = undefined;
    entry.failures = 0;
    entry.failingSince = undefined;
    entry.noticed = 0;
    entry.window = { began: now(), attempts: 0, failures: 0 };
  }

  return {
    store,
    work,
    /** Stores events as one transaction. */
    storeEvents(stored: readonly StorableEvent[]) {
      transactions += 1;
      const added = stored.map((each) => ({ ...each, transaction: transactions, ...formsOf(each) }));
      events.push(...added.toSorted((a, b) => (placeIn(a) < placeIn(b) ? -1 : 1)));
    },
    /** The place of the feed behind all that is stored. */
    place: () => ({ incarnation: INCARNATION, number: String(transactions), began: "0", event: null, forgotten: "0" }),
    /** An open transaction: events that are stored from now on are not dispatched until it ends. */
    holdHorizon() {
      heldAt = transactions + 1;
      transactions += 1;
      return () => {
        heldAt = undefined;
      };
    },
    /** Drops events that are no longer retained. */
    forget(isForgotten: (event: StorableEvent) => boolean) {
      events = events.filter((each) => !isForgotten(each));
    },
    setDown(down: boolean) {
      isDown = down;
    },
    deliveries: () => rows.map(toDelivery),
    attempts: () => attempts.map(({ sequence: _sequence, ...attempt }) => attempt),
  };
}

const md5 = (text: string) => createHash("md5").update(text).digest("hex");

const predicateOf = (filter: string) => toPredicate(parseFilter(parseLossless(filter).lossless));

/** The order of the events of one transaction. */
const placeIn = ({ receivedAt, event }: StorableEvent) => JSON.stringify([receivedAt, event.id, event.source]);

function formsOf({ tenant, receivedAt, event }: StorableEvent) {
  const { extensions, data, ...attributes } = event;
  const json = JSON.stringify({
    specversion: "1.0",
    ...attributes,
    tenant,
    receivedat: receivedAt,
    ...extensions,
    data,
  });
  return { json, filterable: parseLossless(json).lossless as FilterableEvent };
}

function toDelivery({ id, subscriptionId, stored, state, attempts, dueAt, lastAt, code, error }: Row): Delivery {
  const { id: eventId, source: eventSource, type: eventType } = stored.event;
  const due = state === "pending" ? new Date(dueAt).toISOString() : undefined;
  return { id, subscriptionId, eventId, eventSource, eventType, state, attempts, dueAt: due, lastAt, code, error };
}

function pageById<T extends { id: string }>(all: readonly T[], { after, limit }: PageOf): ListPage<T> {
  const rest = all.filter(({ id }) => after === undefined || id < after).toSorted((a, b) => (a.id < b.id ? 1 : -1));
  return { items: rest.slice(0, limit), next: rest.length > limit ? rest[limit - 1]?.id : undefined };
}

function pageByNumber<T>(all: readonly T[], numberOf: (item: T) => number, { after, limit }: PageOf): ListPage<T> {
  const before = Number(toPlace(after) ?? Number.MAX_SAFE_INTEGER);
  const rest = all.filter((each) => numberOf(each) < before).toSorted((a, b) => numberOf(b) - numberOf(a));
  const last = rest[limit - 1];
  return {
    items: rest.slice(0, limit),
    next: rest.length > limit && last !== undefined ? String(numberOf(last)) : undefined,
  };
}
