import type { AtRest, Row } from "../../faults/checker/at-rest.ts";
import type { Attempt } from "../../faults/checker/history.ts";

/** 2026-11-01T00:00:00Z */
export const NOW = 1_793_491_200_000;

export function attempt(id: string, changes: Partial<Attempt> = {}): Attempt {
  return { tenant: "acme", source: "/shop", id, fingerprint: "body", ...changes };
}

export function row(id: string, changes: Partial<Row> = {}): Row {
  return { ...attempt(id), storedAt: NOW + 100, ...changes };
}

export function atRest(changes: Partial<AtRest> = {}): AtRest {
  return { stored: [], deadLetters: [], queued: [], ...changes };
}
