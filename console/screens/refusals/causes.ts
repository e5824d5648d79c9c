import type { RefusalGroup } from "../../types.ts";

/** Refusals of one tenant, code, type and place on all days of the range. */
export type Cause = {
  key: string;
  tenant: string;
  code: string;
  type: string | undefined;
  pointer: string;
  count: number;
  first: string;
  last: string;
  /** Oldest day first. */
  days: { day: string; count: number }[];
  /** The latest first. */
  samples: RefusalGroup["samples"];
};

/** As many of a cause as the answer has of one day. */
const SAMPLES = 20;

/** Joins the groups of several days to causes, the most frequent first. */
export function toCauses(groups: readonly RefusalGroup[]): Cause[] {
  const causes = new Map<string, Cause>();
  for (const { tenant, day, code, type, pointer, count, first, last, samples } of groups) {
    const key = JSON.stringify([tenant, code, type ?? null, pointer]);
    const cause = causes.get(key) ?? { key, tenant, code, type, pointer, count: 0, first, last, days: [], samples: [] };
    cause.count += count;
    if (first < cause.first) cause.first = first;
    if (last > cause.last) cause.last = last;
    cause.days.push({ day, count });
    cause.samples = [...cause.samples, ...samples].toSorted((a, b) => (a.at < b.at ? 1 : -1)).slice(0, SAMPLES);
    causes.set(key, cause);
  }
  for (const cause of causes.values()) cause.days.sort((a, b) => (a.day < b.day ? -1 : 1));
  return [...causes.values()].toSorted((a, b) => b.count - a.count || (a.last < b.last ? 1 : -1));
}

/** The senders among the samples, by their keys: those who can repair it. */
export function sendersOf(samples: Cause["samples"]): { keyId: string; userAgents: string[]; sources: string[] }[] {
  const senders = new Map<string, { userAgents: Set<string>; sources: Set<string> }>();
  for (const { keyId, userAgent, source } of samples) {
    const sender = senders.get(keyId) ?? { userAgents: new Set(), sources: new Set() };
    if (userAgent !== undefined) sender.userAgents.add(userAgent);
    if (source !== undefined) sender.sources.add(source);
    senders.set(keyId, sender);
  }
  return [...senders].map(([keyId, { userAgents, sources }]) => ({
    keyId,
    userAgents: [...userAgents],
    sources: [...sources],
  }));
}
