import { isDeepStrictEqual } from "node:util";
import { deadLetterIdOf } from "../../functions/core/dead-letter-id.ts";
import type {
  DeadLetterReader,
  DeadLetterReplay,
  DeadLetterRow,
  DeadLetterScope,
  DeadLetterSelection,
  DeadLetterStore,
  NewDeadLetter,
} from "../../functions/core/dead-letter-table.ts";
import { DatabaseError } from "../../functions/core/errors.ts";
import type { Event } from "../../functions/core/event.ts";
import { type FilterableEvent, toPredicate } from "../../functions/core/filter/predicate.ts";
import { matchesAny } from "../../functions/core/patterns.ts";
import type { Clock, Origin } from "../../functions/core/ports.ts";

type Row = DeadLetterRow & {
  messageGroup: string;
  isEvent: boolean;
  body: string;
  origin: Origin | undefined;
  event: FilterableEvent | undefined;
  history: DeadLetterReplay[];
};

/** The table of dead letters in memory, with the contract of the real one. */
export function memoryDeadLetterTable({
  clock = () => new Date(),
  chunk = 2_000,
}: {
  clock?: Clock;
  chunk?: number;
} = {}) {
  const rows = new Map<string, Row>();
  let [isDown, opened] = [false, 0];
  const check = () => {
    if (isDown) throw new DatabaseError({ disposition: "retry", reason: "database_unavailable", detail: "down" });
  };
  const now = () => `${clock().toISOString().slice(0, -1)}${String((opened += 1) % 1_000).padStart(3, "0")}Z`;

  function record(deadLetter: NewDeadLetter): boolean {
    const own = deadLetterIdOf(deadLetter.messageId, deadLetter.messageIndex);
    const known = deadLetter.deadLetterId === undefined ? undefined : rows.get(deadLetter.deadLetterId);
    const isSame =
      known !== undefined &&
      (known.tenant ?? deadLetter.tenant) === (deadLetter.tenant ?? known.tenant ?? undefined) &&
      (known.eventId ?? deadLetter.eventId) === (deadLetter.eventId ?? known.eventId ?? undefined) &&
      (known.source ?? deadLetter.source) === (deadLetter.source ?? known.source ?? undefined);
    if (known !== undefined && isSame) {
      if (known.state !== "replayed" || deadLetter.replays < known.replays) return false;
      const last = known.history.find(({ number }) => number === known.replays);
      if (last !== undefined) {
        const { reason, message } = deadLetter;
        Object.assign(last, { outcome: "dead_lettered", reason, sqlState: deadLetter.sqlState ?? null, message });
      }
      rows.set(known.id, { ...toRow(known.id, deadLetter), history: known.history });
      return true;
    }
    const id = known === undefined ? (deadLetter.deadLetterId ?? own) : own;
    const { origin } = deadLetter;
    const isCopy =
      deadLetter.deadLetterId === undefined &&
      [...rows.values()].some(
        (row) =>
          row.state !== "discarded" &&
          row.tenant === deadLetter.tenant &&
          row.body === deadLetter.body &&
          ((deadLetter.eventId !== undefined &&
            row.eventId === deadLetter.eventId &&
            row.source === deadLetter.source) ||
            (origin !== undefined && isDeepStrictEqual(row.origin, origin))),
      );
    if (rows.has(id) || isCopy) return false;
    rows.set(id, toRow(id, deadLetter));
    return true;
  }

  function toRow(id: string, deadLetter: NewDeadLetter): Row {
    const { reason, message, messageGroup, attempts, replays, isEvent, body } = deadLetter;
    return {
      id,
      reason,
      message,
      messageGroup,
      attempts,
      replays,
      isEvent,
      body,
      origin: deadLetter.tenant === undefined ? undefined : deadLetter.origin,
      sqlState: deadLetter.sqlState ?? null,
      tenant: deadLetter.tenant ?? null,
      type: deadLetter.type ?? null,
      source: deadLetter.source ?? null,
      eventId: deadLetter.eventId ?? null,
      receivedAt: deadLetter.receivedAt ?? null,
      openedAt: now(),
      state: "open",
      event: isEvent ? toFilterable((JSON.parse(body) as { events: Event[] }).events[0]) : undefined,
      history: [],
    };
  }

  const sees = ({ tenant, allowed }: DeadLetterScope, row: Row) =>
    (tenant === "*" || row.tenant === tenant) &&
    (allowed.types === undefined || (row.type !== null && matchesAny(allowed.types, row.type))) &&
    (allowed.sources === undefined || (row.source !== null && matchesAny(allowed.sources, row.source)));

  const chosen = (scope: DeadLetterScope, selection: DeadLetterSelection) => {
    const { filter, ids, reasons, sqlStates, messageGroups, states, opened: at } = selection;
    const has = <T>(values: readonly T[] | undefined, value: T) => values === undefined || values.includes(value);
    const matches = filter === undefined ? () => true : toPredicate(filter);
    return [...rows.values()]
      .filter((row) => sees(scope, row) && has(ids, row.id) && has(reasons, row.reason) && has(states, row.state))
      .filter((row) => sqlStates === undefined || (row.sqlState !== null && sqlStates.includes(row.sqlState)))
      .filter((row) => has(messageGroups, row.messageGroup))
      .filter(({ openedAt }) => (at.from ?? "") <= openedAt && (at.to === undefined || openedAt < at.to))
      .filter(({ event }) => filter === undefined || (event !== undefined && matches(event)))
      .toSorted((a, b) => (a.openedAt === b.openedAt ? compare(b.id, a.id) : compare(b.openedAt, a.openedAt)));
  };

  const store: DeadLetterStore = {
    createChunker<T extends NewDeadLetter>() {
      let deadLetters: T[] = [];
      return {
        add(deadLetter: T) {
          const full = deadLetters.length === chunk ? deadLetters.splice(0) : undefined;
          deadLetters.push(deadLetter);
          return full;
        },
        rest: () => deadLetters.splice(0),
      };
    },
    async record(deadLetters) {
      check();
      const recorded = deadLetters.filter(record).length;
      return { recorded };
    },
    async countOpen() {
      check();
      return [...rows.values()].filter(({ state }) => state === "open").length;
    },
  };

  const reader: DeadLetterReader = {
    async list(scope, selection, { after, limit }) {
      check();
      const all = chosen(scope, selection).filter(
        ({ openedAt, id }) => after === undefined || openedAt < after[0] || (openedAt === after[0] && id < after[1]),
      );
      const last = all.at(limit - 1);
      return {
        rows: all.slice(0, limit).map(toListed),
        next: all.length > limit && last !== undefined ? ([last.openedAt, last.id] as const) : undefined,
      };
    },
    async groups(scope, selection) {
      check();
      const all = chosen(scope, selection);
      const groups = Map.groupBy(all, ({ reason, sqlState, messageGroup }) =>
        JSON.stringify([reason, sqlState, messageGroup]),
      );
      return [...groups.values()]
        .toSorted((a, b) => b.length - a.length)
        .map((deadLetters) => {
          const [sample] = deadLetters as [Row, ...Row[]];
          return {
            reason: sample.reason,
            sqlState: sample.sqlState,
            message: sample.messageGroup,
            count: deadLetters.length,
            share: Math.round((10_000 * deadLetters.length) / all.length) / 10_000,
            firstSeen: toMilliseconds(deadLetters.at(-1)?.openedAt ?? ""),
            lastSeen: toMilliseconds(sample.openedAt),
            types: typesOf(deadLetters),
            sample: toListed(sample),
          };
        });
    },
    async read(scope, id) {
      check();
      const row = rows.get(id);
      if (row === undefined || !sees(scope, row)) return undefined;
      const { isEvent, body, history } = row;
      return { ...toListed(row), isEvent, body, history };
    },
    async find(scope, { id, source }) {
      check();
      const [row] = [...rows.values()]
        .filter((each) => sees(scope, each) && each.eventId === id && each.state !== "discarded")
        .filter((each) => source === undefined || each.source === source)
        .toSorted((a, b) => compare(b.openedAt, a.openedAt));
      return row && { id: row.id, state: row.state, reason: row.reason, message: row.message };
    },
  };

  return {
    store,
    reader,
    rows: () => [...rows.values()],
    /** As a job does: the row is replayed once more. */
    take(id: string) {
      const row = rows.get(id);
      if (row === undefined) return;
      row.replays += 1;
      row.state = "replayed";
      const times = { takenAt: clock().toISOString(), sentAt: clock().toISOString() };
      const nothing = { outcome: null, reason: null, sqlState: null, message: null };
      row.history.push({ number: row.replays, replayId: `rpl_${"0".repeat(32)}`, ...times, ...nothing });
    },
    remove: (id: string) => rows.delete(id),
    discard(id: string) {
      const row = rows.get(id);
      if (row !== undefined) row.state = "discarded";
    },
    setDown: (down: boolean) => {
      isDown = down;
    },
  };
}

function typesOf(deadLetters: readonly Row[]): string[] {
  const counts = new Map<string, number>();
  for (const { type } of deadLetters) if (type !== null) counts.set(type, (counts.get(type) ?? 0) + 1);
  return [...counts].toSorted(([a, n], [b, m]) => m - n || compare(a, b)).map(([type]) => type);
}

function toFilterable(event: Event | undefined): FilterableEvent | undefined {
  if (event === undefined) return undefined;
  const { extensions, ...attributes } = event;
  return { ...attributes, ...extensions };
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
const toMilliseconds = (instant: string) => `${instant.slice(0, 23)}Z`;

function toListed(row: Row): DeadLetterRow {
  const {
    messageGroup: _group,
    isEvent: _is,
    body: _body,
    origin: _origin,
    event: _event,
    history: _history,
    ...listed
  } = row;
  return listed;
}
