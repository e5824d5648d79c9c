import { badParameter } from "../core/bad-parameter.ts";
import type { Cursors } from "../core/cursor.ts";
import { matchesAny } from "../core/patterns.ts";
import type { Clock } from "../core/ports.ts";
import type { Principal } from "../core/principal.ts";
import type { RefusalAnswer } from "../core/refusal-answers.ts";
import { REFUSAL_KEPT_DAYS, REFUSALS_DEFAULT, REFUSALS_DEFAULT_DAYS } from "../core/refusal-limits.ts";
import { toRefusalPointer } from "../core/refusal-pointer.ts";
import { refusalGroupId, type RefusalStore } from "../core/refusal.ts";
import { INSTALLATION } from "../core/scopes.ts";

export type AskedRefusals = {
  /** The first and the last day, for example `2026-11-29`. @default the last week */
  from?: string | undefined;
  to?: string | undefined;
  code?: string | undefined;
  /** A type, or its beginning with `*` behind it. */
  type?: string | undefined;
  pointer?: string | undefined;
  limit?: number | undefined;
  cursor?: string | undefined;
};

export type RefusalPage = { groups: RefusalAnswer[]; next: string | null };

/**
 * Reads the groups of refusals that a key may see, the latest day first and in it the largest group. A key that names types sees the
 * groups of these alone, and one that names sources the samples of these alone.
 */
export function createListRefusals({
  store,
  cursors,
  clock,
}: {
  store: Pick<RefusalStore, "readAdmitted" | "readDay">;
  cursors: Cursors;
  clock: Clock;
}) {
  /** Of the installation the groups of every tenant. */
  async function readDay(tenant: string, day: string): Promise<RefusalAnswer[]> {
    const tenants = tenant === INSTALLATION ? await store.readAdmitted(INSTALLATION, day) : [tenant];
    const groups: RefusalAnswer[] = [];
    for (const each of tenants) {
      for (const { counted: _counted, ...group } of await store.readDay(each, day))
        groups.push({ tenant: each, day, ...group });
    }
    return groups;
  }

  /** @throws RequestError `bad_parameter`, `bad_cursor`, `cursor_mismatch`; AccessError */
  return async function listRefusals(principal: Principal, asked: AskedRefusals): Promise<RefusalPage> {
    const { tenant, types, sources } = principal;
    const { code, type, limit = REFUSALS_DEFAULT, cursor } = asked;
    const pointer = asked.pointer === undefined ? undefined : toRefusalPointer(asked.pointer);
    const binding = { tenant, request: [asked.from, asked.to, code, type, pointer, types, sources] };
    const after = cursor === undefined ? undefined : ((await cursors.read("refusals", binding, cursor)) as Position);
    const isWanted = (group: RefusalAnswer) =>
      (code === undefined || group.code === code) &&
      (pointer === undefined || group.pointer === pointer) &&
      (type === undefined || (group.type !== undefined && matchesAny([type], group.type))) &&
      (types === undefined || (group.type !== undefined && matchesAny(types, group.type)));

    const found: RefusalAnswer[] = [];
    for (const day of daysOf(asked, after?.[0], clock())) {
      const wanted = (await readDay(tenant, day)).filter(isWanted).filter((group) => isAfter(group, after));
      found.push(...wanted.toSorted(compare));
      if (found.length > limit) break;
    }
    const groups = found.slice(0, limit);
    const last = groups.at(-1);
    const hasMore = found.length > limit && last !== undefined;
    return {
      groups: groups.map((group) => withSamplesOf(group, sources)),
      next: hasMore ? await cursors.write("refusals", binding, positionOf(last)) : null,
    };
  };
}

/** The place of a group in the order of an answer. */
type Position = [day: string, count: number, key: string];

function positionOf(group: RefusalAnswer): Position {
  return [group.day, group.count, `${group.tenant} ${refusalGroupId(group)}`];
}

/** Orders the groups of one day: the largest first. */
function compare(a: RefusalAnswer, b: RefusalAnswer): number {
  return comparePositions(positionOf(a), positionOf(b));
}

function comparePositions([, countA, keyA]: Position, [, countB, keyB]: Position): number {
  return countA === countB ? (keyA < keyB ? -1 : 1) : countB - countA;
}

function isAfter(group: RefusalAnswer, after: Position | undefined): boolean {
  if (after === undefined || group.day < after[0]) return true;
  const position = positionOf(group);
  return position[2] !== after[2] && comparePositions(position, after) > 0;
}

/** The days of a request that may have refusals, the latest first. @throws RequestError `bad_parameter` */
function daysOf({ from, to }: AskedRefusals, startsAt: string | undefined, now: Date): string[] {
  const today = dayOf(now.getTime());
  const last = Date.parse([to ?? today, today, startsAt ?? today].toSorted()[0] ?? today);
  const first = from ?? dayOf(Date.parse(to ?? today) - (REFUSALS_DEFAULT_DAYS - 1) * DAY_MS);
  if (to !== undefined && first > to)
    throw badParameter("from", "is after to. Send days such as from=2026-11-28&to=2026-11-29");
  const earliest = Math.max(Date.parse(first), Date.parse(today) - REFUSAL_KEPT_DAYS * DAY_MS);
  const days: string[] = [];
  for (let day = last; day >= earliest; day -= DAY_MS) days.push(dayOf(day));
  return days;
}

const DAY_MS = 86_400_000;

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, "2026-11-29".length);

function withSamplesOf(group: RefusalAnswer, sources: readonly string[] | undefined): RefusalAnswer {
  if (sources === undefined) return group;
  const samples = group.samples.filter(({ source }) => source !== undefined && matchesAny(sources, source));
  return { ...group, samples };
}
