import { AccessError } from "./access.ts";
import { addLease, keepDay, type Meters, planLease, reachable, releaseDay, spendable, spendTokens } from "./lease.ts";
import {
  isPaused,
  LOW,
  MANY_THROTTLES,
  noPause,
  type Pause,
  pauseAfterLow,
  pauseAfterThrottle,
} from "./lease-pause.ts";
import { applyChange, type BucketName, type LeaseStore, type LimitRecord } from "./lease-store.ts";
import { availableOf, toPolicies, toSharedPolicies } from "./limit-policies.ts";
import { createLimitStates, type State } from "./limit-states.ts";
import { metersOf, type Subject, subjectsOf } from "./limit-subjects.ts";
import type { Clock } from "./ports.ts";
import type { Principal } from "./principal.ts";
import type { Policy } from "./rate-limit-fields.ts";
import { type Reserve, tokensIn } from "./token-bucket.ts";

/** The time of all calls for one subject of a request; then its limit is decided in this process. */
const LEASE_TIMEOUT_MS = 300;

/** After a failed call nobody asks for this long, so that no other request waits for the time-out. */
const PAUSE_AFTER_FAILURE_MS = 1_000;

/** Changes that are tried for one request. Each fails only where other processes took the tokens meanwhile. */
const ATTEMPTS = 3;

/** An empty bucket is looked at again after this time: a process may have given events of the day back, or somebody changed the table. */
const RECORD_LIFETIME_MS = 10_000;

/** Subjects that a process knows at once; the ones that were not used for longest are forgotten first. */
const MAX_SUBJECTS = 10_000;

/** The part of the requests a second that is left to ingest: under load queries are refused first. */
export const QUERY_RESERVE: Reserve = 0.2;

export type LimiterDeps = {
  store: LeaseStore;
  clock: Clock;
  /** A number from 0 to below 1. */
  random: () => number;
  /** Gets each failure of the table; of calls that were throttled in a row only the one after which it asks least often. */
  onFailure: (error: unknown) => void;
  /** Of the tokens for requests, the part that this process leaves to others. @default 0 */
  reserve?: Reserve;
  /** @default MAX_SUBJECTS */
  maxSubjects?: number;
};

/** The answer to a caller that has limits. */
export type Grant = {
  /** The number of requests or events that may pass, the first ones. */
  granted: number;
  policies: Policy[];
  /** The table did not answer, and this process has decided alone. */
  isLocal: boolean;
  /**
   * Gives tokens back whose events did not pass in the end. They stay in this process, except the events of a day that it
   * need not keep: those go back to the table. Never throws.
   */
  giveBack(tokens: number): Promise<void>;
};

/** Takes tokens. Both methods return undefined for a caller without such limits, at no cost. They never throw. */
export type Limiter = {
  takeRequest(principal: Principal): Promise<Grant | undefined>;
  /** @param options.isWhole all events or none. They pass as soon as there is any token, and the time for the others is paid afterwards. */
  takeEvents(principal: Principal, events: number, options?: { isWhole?: boolean }): Promise<Grant | undefined>;
};

/**
 * Limits of tenants and keys, shared by all processes. Each takes tokens from the table in leases and spends them without
 * asking; while the table does not answer, it has a bucket of its own with the same limit (docs/limits.md).
 */
export function createLimiter(deps: LimiterDeps): Limiter {
  const { reserve = 0, maxSubjects = MAX_SUBJECTS } = deps;
  const nowMs = () => deps.clock().getTime();
  const stateOf = createLimitStates(maxSubjects);
  /** No process asks before it; 0 while the table answers. */
  let failedUntil = 0;

  async function take(subject: Subject, name: BucketName, need: number, isWhole: boolean): Promise<Grant> {
    const state = stateOf(subject);
    const meters = metersOf(subject.limits, name, reserve);
    const held = state.held[name];
    let isLocal = false;
    const canSpend = () => spendable(held, meters, nowMs());
    while (canSpend() < need && state.leasing !== undefined) await state.leasing;
    if (canSpend() < need) {
      state.leasing = lease(subject.id, state, meters, need, isWhole).finally(() => {
        state.leasing = undefined;
      });
      isLocal = await state.leasing;
    }
    const record = state.local ?? state.seen?.record ?? {};
    const available = availableOf(subject.kind, held, record, meters, { need, isWhole, nowMs: nowMs() });
    const most = Math.min(canSpend(), need);
    const granted = isWhole && most < need ? 0 : most;
    spendTokens(held, meters, granted);
    const { day } = held;
    return {
      granted,
      policies: toPolicies(available, { granted, need }),
      isLocal,
      giveBack: async (tokens) => {
        // Tokens of yesterday are no good today.
        const ofToday = held.day === day ? meters : { ...meters, perDay: undefined };
        spendTokens(held, ofToday, -tokens);
        // The table has not counted the ones that this process gave itself.
        if (!isLocal) await returnDay(subject.id, state, ofToday, tokens);
      },
    };
  }

  /**
   * Otherwise they would be lost with the process. A failure loses them, too: a call that got no answer may have counted.
   * A throttled one has not.
   */
  async function returnDay(id: string, state: State, meters: Meters, most: number): Promise<void> {
    const held = state.held[meters.name];
    const pause = state.pauses[meters.name];
    if (isFailing(nowMs()) || (pause.throttles > 0 && isPaused(pause, nowMs()))) return;
    const change = releaseDay(held, meters, most, nowMs());
    if (change === undefined) return;
    try {
      const record = await deps.store.change(id, change, LEASE_TIMEOUT_MS);
      if (record === undefined) return;
      state.seen = { record, at: nowMs() };
      // The process has tokens of the bucket for these events, so it need not wait for more.
      state.pauses[meters.name] = noPause();
    } catch (error) {
      if (isThrottle(error)) {
        keepDay(held, change);
        throttled(pause, error);
      } else {
        failed(error);
      }
    }
  }

  /** A clock that was set back must not keep it so for longer. */
  function isFailing(now: number): boolean {
    return failedUntil !== 0 && now < failedUntil && failedUntil - now <= PAUSE_AFTER_FAILURE_MS;
  }

  function failed(error: unknown): void {
    failedUntil = nowMs() + PAUSE_AFTER_FAILURE_MS;
    deps.onFailure(error);
  }

  /** The table is there, so this is no reason to decide alone: that would switch off the limits of all subjects. */
  function throttled(pause: Pause, error: unknown): void {
    pauseAfterThrottle(pause, nowMs(), deps.random);
    if (pause.throttles === MANY_THROTTLES) deps.onFailure(error);
  }

  /** Tries to lease what a request lacks. Returns whether this process decided alone. Never throws. */
  async function lease(id: string, state: State, meters: Meters, need: number, isWhole: boolean): Promise<boolean> {
    const now = nowMs();
    if (isFailing(now)) {
      leaseLocally(state, meters, need, isWhole);
      return true;
    }
    if (isPaused(state.pauses[meters.name], now)) return false;
    try {
      // While one asks whether the table answers again, nobody else waits for it.
      if (failedUntil !== 0) failedUntil = now + PAUSE_AFTER_FAILURE_MS;
      const { seen } = state;
      await leaseFromTable(id, state, meters, need, isWhole);
      if (state.seen !== seen) state.pauses[meters.name].throttles = 0;
    } catch (error) {
      if (!isThrottle(error)) {
        failed(error);
        leaseLocally(state, meters, need, isWhole);
        return true;
      }
      throttled(state.pauses[meters.name], error);
    }
    failedUntil = 0;
    state.local = undefined;
    return false;
  }

  async function leaseFromTable(id: string, state: State, meters: Meters, need: number, isWhole: boolean) {
    const held = state.held[meters.name];
    const started = nowMs();
    const timeLeft = () => Math.max(LEASE_TIMEOUT_MS - Math.max(nowMs() - started, 0), 1);
    const look = async () => {
      const record = await deps.store.read(id, timeLeft());
      state.isShared = state.seen === undefined || !isSameRecord(record, state.seen.record);
      state.seen = { record, at: nowMs() };
    };
    if (state.isShared) await look();
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const now = nowMs();
      const plan = planLease(held, meters, state.seen?.record ?? {}, { need, isWhole, nowMs: now });
      if (plan === undefined) {
        // Others take and hardly give back, so an empty bucket is empty until time has passed.
        if (state.seen !== undefined && Math.abs(now - state.seen.at) <= RECORD_LIFETIME_MS) break;
      } else {
        const record = await deps.store.change(id, plan.change, timeLeft());
        if (record !== undefined) {
          state.seen = { record, at: nowMs() };
          addLease(held, plan, nowMs());
          break;
        }
      }
      await look();
    }
    pauseIfLow(state, meters);
  }

  function pauseIfLow(state: State, { name, rate, reserve }: Meters): void {
    if (rate === undefined || state.seen === undefined) return;
    const now = nowMs();
    if (tokensIn(rate, state.seen.record[name], now * 1_000, reserve) >= rate.burst * LOW) return;
    pauseAfterLow(state.pauses[name], rate.span / 1_000, now, deps.random);
  }

  function leaseLocally(state: State, meters: Meters, need: number, isWhole: boolean): void {
    const now = nowMs();
    const held = state.held[meters.name];
    state.local ??= state.seen?.record ?? {};
    const plan = planLease(held, meters, state.local, { need, isWhole, nowMs: now });
    if (plan === undefined) return;
    const record = applyChange(state.local, plan.change);
    if (record === undefined) return;
    state.local = record;
    addLease(held, plan, now);
  }

  async function takeAll(
    principal: Principal,
    name: BucketName,
    need: number,
    isWhole: boolean,
  ): Promise<Grant | undefined> {
    const { tenant, key } = subjectsOf(principal, name);
    if (key === undefined) return tenant && take(tenant, name, need, isWhole);
    if (tenant === undefined) return take(key, name, need, isWhole);
    // The key first: the tokens of the tenant are those of all its keys, and what one key must not pass must not cost them.
    const ofKeyAtMost = likely(tenant, name, need, isWhole);
    const ofKey = await take(key, name, ofKeyAtMost, isWhole);
    const ofTenant = await take(tenant, name, ofKey.granted < ofKeyAtMost ? ofKey.granted : need, isWhole);
    const granted = Math.min(ofKey.granted, ofTenant.granted);
    const giveBack = async (fromTenant: number, fromKey: number) => {
      await Promise.all([ofTenant.giveBack(fromTenant), ofKey.giveBack(fromKey)]);
    };
    await giveBack(ofTenant.granted - granted, ofKey.granted - granted);
    return {
      granted,
      policies: toSharedPolicies(ofTenant.policies, ofKey.policies, { granted, need }),
      isLocal: ofTenant.isLocal || ofKey.isLocal,
      giveBack: (tokens) => giveBack(tokens, tokens),
    };
  }

  /** Tokens that a request would get by what this process knows. It hardly gets more, because other processes take. */
  function likely(subject: Subject, name: BucketName, need: number, isWhole: boolean): number {
    const state = stateOf(subject);
    const meters = metersOf(subject.limits, name, reserve);
    const held = state.held[name];
    const now = nowMs();
    const most = isPaused(state.pauses[name], now)
      ? spendable(held, meters, now)
      : reachable(held, meters, knownOf(state, now), { need, isWhole, nowMs: now });
    return isWhole && most < need ? 0 : Math.min(most, need);
  }

  function knownOf({ seen, local }: State, now: number): LimitRecord {
    if (isFailing(now)) return local ?? seen?.record ?? {};
    return seen === undefined || Math.abs(now - seen.at) > RECORD_LIFETIME_MS ? {} : seen.record;
  }

  return {
    takeRequest: (principal) => takeAll(principal, "requests", 1, false),
    takeEvents: (principal, events, { isWhole = false } = {}) => takeAll(principal, "events", events, isWhole),
  };
}

function isThrottle(error: unknown): boolean {
  return error instanceof AccessError && error.isThrottled;
}

function isSameRecord(a: LimitRecord, b: LimitRecord): boolean {
  return (
    a.events?.fullAt === b.events?.fullAt && a.requests?.fullAt === b.requests?.fullAt && a.day?.count === b.day?.count
  );
}
