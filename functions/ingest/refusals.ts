import type { Clock, EventQueue } from "../core/ports.ts";
import {
  REFUSAL_MESSAGE_GROUP_SAMPLES,
  REFUSAL_MESSAGE_GROUPS,
  REFUSAL_MESSAGE_SAMPLES,
  REFUSAL_PAUSE_MS,
  REFUSAL_SEND_MS,
  REFUSAL_SENDS_PER_SECOND,
  REFUSAL_TEXT_MAX_CHARACTERS,
} from "../core/refusal-limits.ts";
import {
  OTHERS,
  type RefusalCause,
  type RefusalGroup,
  type RefusalSample,
  type RefusalsMessage,
} from "../core/refusal.ts";
import { stringifyForQueue } from "../core/sqs-text.ts";
import { shownText } from "./refusal-sample.ts";

/** The request of a refusal, and the time of its receipt. */
export type RefusedRequest = {
  tenant: string;
  at: string;
  keyId: string;
  requestId: string;
  userAgent: string | undefined;
};

export type Refusals = {
  /**
   * Counts one refusal. `describe` is called where a sample is wanted.
   * @param isFirst false for a further error of an event
   */
  note(
    request: RefusedRequest,
    cause: RefusalCause,
    describe: () => Pick<RefusalSample, "id" | "source" | "members">,
    isFirst?: boolean,
  ): void;
  /**
   * Sends what was counted, unless it was sent too often just now; then it goes with a later request of this process. Ends by the
   * deadline (ms since the epoch), and soon. Never throws.
   */
  send(deadline: number): Promise<void>;
};

/** Of a request that is only validated. */
export const NO_REFUSALS: Refusals = { note: () => undefined, send: () => Promise.resolve() };

export type RefusalsDeps = {
  /** The queue of the function `status`. */
  queue: EventQueue;
  clock: Clock;
  newId: () => string;
  /** Does work after a time, where the process still runs. */
  later: (work: () => void, ms: number) => void;
};

/**
 * Gathers the refusals of a process of ingest, and sends them to the queue of `status`. What is not confirmed is sent again under
 * its id. Counts are lost only with the process, where it ends before a later request.
 */
export function createRefusals(deps: RefusalsDeps): Refusals {
  const gathered = createGroups();
  const rate = createRate(REFUSAL_SENDS_PER_SECOND);
  let unconfirmed: string | undefined;
  let isSending = false;
  let isPlanned = false;
  let pausedUntil = 0;

  async function send(deadline: number): Promise<void> {
    if (unconfirmed === undefined && gathered.isEmpty()) return;
    const now = deps.clock().getTime();
    if (isSending || now < pausedUntil || !rate.mayStart(now)) return plan(now);
    isSending = true;
    unconfirmed ??= toBody({ kind: "refusals", id: deps.newId(), groups: gathered.takeAll() });
    const [outcome] = await deps.queue.send([{ body: unconfirmed }], Math.min(deadline, now + REFUSAL_SEND_MS));
    isSending = false;
    if (outcome === "enqueued") unconfirmed = undefined;
    else pausedUntil = deps.clock().getTime() + REFUSAL_PAUSE_MS;
    if (unconfirmed !== undefined || !gathered.isEmpty()) plan(deps.clock().getTime());
  }

  /** Sends the rest though no request may come. A timer that Lambda froze with its process leaves it to the request that thawed it. */
  function plan(now: number): void {
    if (isPlanned) return;
    isPlanned = true;
    const due = Math.max(pausedUntil, rate.nextSecond(now));
    deps.later(() => {
      isPlanned = false;
      const later = deps.clock().getTime();
      if (later < due + TIMER_LATE_MS) void send(later + REFUSAL_SEND_MS);
    }, due - now);
  }

  return { note: gathered.note, send };
}

const TIMER_LATE_MS = 1_000;

const toBody = (message: RefusalsMessage): string => stringifyForQueue(message);

/** Groups in memory, as many as one message has. */
function createGroups() {
  let groups = new Map<string, RefusalGroup>();
  let samples = 0;

  /** The group of a cause, or that of the others once there are too many. */
  const groupOf = (tenant: string, at: string, cause: RefusalCause): RefusalGroup => {
    const day = at.slice(0, DAY_CHARACTERS);
    // Of the texts only the type may have a blank, and no type is empty.
    const key = `${tenant} ${day} ${cause.code} ${cause.pointer} ${cause.type ?? ""}`;
    const known = groups.get(key);
    if (known !== undefined) return known;
    if (groups.size >= REFUSAL_MESSAGE_GROUPS && cause !== OTHERS) return groupOf(tenant, at, OTHERS);
    const group = { tenant, day, ...cause, count: 0, events: 0, first: at, last: at, samples: [] };
    groups.set(key, group);
    return group;
  };

  const note: Refusals["note"] = (request, cause, describe, isFirst = true) => {
    const { tenant, at, keyId, requestId } = request;
    const group = groupOf(tenant, at, cause);
    group.count += 1;
    if (isFirst) group.events += 1;
    if (at < group.first) group.first = at;
    if (at > group.last) group.last = at;
    if (group.samples.length >= REFUSAL_MESSAGE_GROUP_SAMPLES || samples >= REFUSAL_MESSAGE_SAMPLES) return;
    samples += 1;
    group.samples.unshift({
      at,
      keyId,
      requestId: requestId.slice(0, REFUSAL_TEXT_MAX_CHARACTERS),
      userAgent: shownText(request.userAgent),
      ...describe(),
    });
  };

  return {
    note,
    isEmpty: () => groups.size === 0,
    takeAll: (): RefusalGroup[] => {
      const taken = [...groups.values()];
      groups = new Map();
      samples = 0;
      return taken;
    },
  };
}

const DAY_CHARACTERS = "2026-11-29".length;

/** Starts in a second, at most so many. */
function createRate(most: number) {
  let second = 0;
  let started = 0;
  return {
    mayStart(now: number): boolean {
      const current = Math.floor(now / 1_000);
      if (current !== second) [second, started] = [current, 0];
      started += 1;
      return started <= most;
    },
    nextSecond: (now: number): number => (Math.floor(now / 1_000) + 1) * 1_000,
  };
}
