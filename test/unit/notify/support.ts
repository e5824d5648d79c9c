import type { NotifyOutcome, Notice, Notifiers } from "../../../functions/core/notifier.ts";
import type { StorableEvent } from "../../../functions/core/ports.ts";
import type { Event } from "../../../functions/core/event.ts";
import type { OutgoingMessage, ReceivedMessage } from "../../../functions/core/queue-message.ts";
import { readMessage } from "../../../functions/core/read-message.ts";
import { NOTIFY_TIMEOUT_SECONDS } from "../../../functions/core/function-limits.ts";
import { NOTIFY_VISIBILITY_SECONDS } from "../../../functions/core/queue-limits.ts";
import type { DeliveryWork } from "../../../functions/core/delivery-work.ts";
import type { SubscribedMark } from "../../../functions/core/subscribed-mark.ts";
import type { NewSubscription } from "../../../functions/core/subscription-store.ts";
import type { Wake, Wakes } from "../../../functions/core/wakes.ts";
import { createDeliver } from "../../../functions/notify/deliver.ts";
import { createRunWakes } from "../../../functions/notify/run-wakes.ts";
import { createWork, type WorkDeps } from "../../../functions/notify/work.ts";
import { memoryDeliveries } from "../../support/memory-deliveries.ts";
import { untraced } from "../../support/observability.ts";

export const START = Date.parse("2026-11-01T00:00:00Z");

/** Time that goes on only while everything waits for it, from one wait to the next. */
function createVirtualTime() {
  let now = START;
  let timers: { at: number; run: () => void }[] = [];
  const settled = () => new Promise<void>((resolve) => void setImmediate(resolve));
  return {
    clock: () => new Date(now),
    now: () => now - START,
    wait: (milliseconds: number) =>
      new Promise<void>((resolve) => void timers.push({ at: now + Math.max(milliseconds, 0), run: resolve })),
    advance(milliseconds: number): void {
      now += milliseconds;
    },
    /** Lets time pass until the work has ended. @throws Error for work that waits for nothing */
    async run<T>(work: Promise<T>): Promise<T> {
      const progress = { isDone: false };
      const done = work.finally(() => (progress.isDone = true));
      done.catch(() => undefined);
      for (await settled(); !progress.isDone; await settled()) {
        const next = timers.toSorted((a, b) => a.at - b.at)[0];
        if (next === undefined) throw new Error("The work waits, and no time would end that.");
        timers = timers.filter((each) => each !== next);
        now = Math.max(now, next.at);
        next.run();
      }
      timers = [];
      return done;
    },
  };
}

type Sent = { at: number; sink: string; ids: string[]; attempts: number[]; notice: Notice };

const OK: NotifyOutcome = { kind: "delivered", code: 200 };
export const DOWN: NotifyOutcome = { kind: "later", code: 503, error: "The sink answered 503." };

/** A worker beside subscriptions in memory, sinks that a test answers for, and a queue of wake-ups that delivers when asked to. */
export function createWorld() {
  const time = createVirtualTime();
  const memory = memoryDeliveries({ clock: time.clock });
  const calls: string[] = [];
  const sent: Sent[] = [];
  const queued: { wake: Wake; visibleAt: number; receiveCount: number }[] = [];
  const failures: unknown[] = [];
  const events: Event[] = [];
  const state = {
    token: undefined as string | undefined,
    isQueueDown: false,
    areEventsDown: false,
    isMarkDown: false,
    ids: 0,
  };
  /** By the name of the sink: the answer, after some milliseconds. */
  const sinks = new Map<string, (notice: Notice) => { ms?: number; outcome?: NotifyOutcome }>();

  const answer = async (notice: Notice, deadline: number): Promise<NotifyOutcome> => {
    const sink = new URL((notice.sink as { url: string }).url).hostname;
    const { deliveries } = notice;
    const ids = deliveries.map(({ event }) => (JSON.parse(event) as { id: string }).id);
    sent.push({ at: time.now(), sink, ids, attempts: deliveries.map(({ attempt }) => attempt), notice });
    const { ms = 0, outcome = OK } = sinks.get(sink)?.(notice) ?? {};
    const left = deadline - time.clock().getTime();
    await time.wait(Math.min(ms, left));
    return ms > left ? { kind: "later", error: "The sink did not answer in time." } : outcome;
  };
  const notifier = { notify: answer, check: () => Promise.resolve(undefined) };
  const notifiers = { webhook: notifier, email: notifier, slack: notifier, sns: notifier, sqs: notifier } as Notifiers;

  const counted = Object.fromEntries(
    Object.entries(memory.work).map(([name, call]) => [
      name,
      (...args: unknown[]) => {
        calls.push(name);
        return (call as (...all: unknown[]) => unknown)(...args);
      },
    ]),
  ) as DeliveryWork;

  const wakes: Wakes = {
    async send(wake, delaySeconds) {
      if (state.isQueueDown) return false;
      queued.push({ wake, visibleAt: time.now() + delaySeconds * 1_000, receiveCount: 0 });
      return true;
    },
  };
  const mark: SubscribedMark = {
    async set(token) {
      state.token = token;
    },
    async clear(token) {
      if (state.token === token) state.token = undefined;
    },
    async read() {
      calls.push("readMark");
      return state.token;
    },
  };
  /** Changes of the visibility of messages: for how many seconds. */
  const hidden: { receiveCount: number; seconds: number }[] = [];
  const received = {
    changeVisibility: async (messages: readonly (ReceivedMessage & { seconds: number })[]) => {
      hidden.push(...messages.map(({ receiveCount, seconds }) => ({ receiveCount, seconds })));
    },
  };
  const queueOf = { wakes, received, visibilitySeconds: NOTIFY_VISIBILITY_SECONDS, clock: time.clock };
  const deps: WorkDeps = {
    work: counted,
    deliver: createDeliver({
      notifiers,
      clock: time.clock,
      random: () => 0.5,
      tracing: untraced,
      onFailure: (error) => failures.push(error),
    }),
    events: {
      send: async (messages) => {
        if (state.areEventsDown) return messages.map(() => "failed");
        events.push(...messages.flatMap(readEvents));
        return messages.map(() => "enqueued");
      },
    },
    wakes,
    mark,
    clock: time.clock,
    wait: time.wait,
    newId: () => `worker-${(state.ids += 1)}`,
    onMarkFailure: (error) => failures.push(error),
  };

  const until = () => time.clock().getTime() + NOTIFY_TIMEOUT_SECONDS * 1_000;
  const messageOf = (wake: Wake, receiveCount = 1) =>
    ({ messageId: "m", body: JSON.stringify(wake), receiveCount }) as ReceivedMessage;

  return {
    time,
    memory,
    calls,
    sent,
    sinks,
    queued,
    hidden,
    queueOf,
    failures,
    events,
    state,
    deps,
    messageOf,

    async subscribe(name: string, settings: Partial<NewSubscription> = {}) {
      const made = await memory.store.create(
        {
          id: `sub_${name}`,
          tenant: "acme",
          name,
          filter: undefined,
          allowed: { types: undefined, sources: undefined },
          sink: { type: "webhook", url: `https://${name}/hook` },
          order: "none",
          schedule: "standard",
          batch: 1,
          rate: undefined,
          timeoutMs: 15_000,
          keyId: "k",
          start: { kind: "now" },
          sealed: "sealed",
          ...settings,
        },
        0,
      );
      if (typeof made === "string") throw new Error(made);
      state.token = name;
      return made;
    },

    store(...ids: string[]): void {
      memory.storeEvents(ids.map((id) => eventOf(id, time.clock())));
    },

    /** One invocation for a wake-up. */
    run: (
      messages: ReceivedMessage[] = [messageOf({})],
      run = createRunWakes({ work: createWork(deps), ...queueOf }),
    ) => time.run(run(messages, until())),

    work: (woken = { tries: 0, isRepeated: false }) => time.run(createWork(deps)(woken, until())),

    /** Delivers wake-ups, each when it is visible, until none is left or the time has come. */
    async runQueue(forMs = Number.POSITIVE_INFINITY): Promise<number> {
      const end = time.now() + forMs;
      const run = createRunWakes({ work: createWork(deps), ...queueOf });
      let invocations = 0;
      for (;;) {
        const next = queued.toSorted((a, b) => a.visibleAt - b.visibleAt)[0];
        if (next === undefined || next.visibleAt > end) break;
        queued.splice(queued.indexOf(next), 1);
        time.advance(Math.max(next.visibleAt - time.now(), 0));
        invocations += 1;
        const { remaining } = await time.run(run([messageOf(next.wake, next.receiveCount + 1)], until()));
        if (remaining.length > 0)
          queued.push({ ...next, visibleAt: time.now() + 360_000, receiveCount: next.receiveCount + 1 });
      }
      if (Number.isFinite(end)) time.advance(Math.max(end - time.now(), 0));
      return invocations;
    },
  };
}

/** The events of a message, as the consumer reads them. */
function readEvents({ body }: OutgoingMessage): Event[] {
  const read = readMessage(body);
  if (read.kind === "unreadable") throw new Error(read.detail);
  return read.events.map(({ event }) => event);
}

export function eventOf(id: string, at: Date, more: Partial<StorableEvent["event"]> = {}): StorableEvent {
  const event = { id, source: "/test", type: "com.example.thing", ...more };
  return { tenant: "acme", receivedAt: at.toISOString(), event } as StorableEvent;
}
