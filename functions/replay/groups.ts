import { type DeadLetterRow, reasonOf } from "./dead-letter-row.ts";

export const groupFields = ["type", "source", "tenant"] as const;
export type GroupField = (typeof groupFields)[number];

export type Group = {
  events: number;
  /** Reason and SQLSTATE. */
  reason: string;
  /** The values of the requested fields, in their order. */
  by: (string | undefined)[];
  /** When the oldest of its events was received. */
  oldest: string;
};

/** Counts events by reason and by the given fields, largest group first. */
export function createGroups(fields: GroupField[]): { add: (row: DeadLetterRow) => void; list: () => Group[] } {
  const groups = new Map<string, Group>();
  return {
    add(row) {
      const reason = reasonOf(row);
      const by = fields.map((field) => row[field]);
      const key = JSON.stringify([reason, ...by]);
      const group = groups.get(key) ?? { events: 0, reason, by, oldest: row.receivedAt };
      group.events += 1;
      if (row.receivedAt < group.oldest) group.oldest = row.receivedAt;
      groups.set(key, group);
    },
    list: () => [...groups.values()].toSorted((a, b) => b.events - a.events || a.reason.localeCompare(b.reason)),
  };
}
