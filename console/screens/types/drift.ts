import type { JsonKind } from "../../parts/json-parts.ts";
import type { Declared } from "./fields-declared.ts";
import type { Seen } from "./fields-seen.ts";

/** A field of a type: what its schema says beside what events have. */
export type Field = {
  /** The keys that lead to it; `[]` stands for the elements of an array. */
  path: string;
  kinds: readonly JsonKind[];
  /** Events of the sample that have it. */
  events: number;
  isRequired: boolean;
  /** `undeclared`: events have it and the schema does not. `other-kind`: its kind is none of the declared. `unseen`: no event has it. */
  drift: "none" | "undeclared" | "other-kind" | "unseen";
};

/**
 * Compares the fields that events have with those that a schema declares, the drifting ones first. Without a schema there is no
 * drift. What stands below an undeclared field is not listed: the field says it all.
 */
export function compareFields(seen: Seen, declared: Declared | undefined): Field[] {
  const fields: Field[] = [];
  walk(seen, declared, "", fields, declared !== undefined);
  return fields.toSorted((a, b) => RANK[a.drift] - RANK[b.drift]);
}

const RANK: Record<Field["drift"], number> = { "other-kind": 0, undeclared: 1, none: 2, unseen: 3 };

function walk(seen: Seen, declared: Declared | undefined, path: string, fields: Field[], isChecked: boolean): void {
  for (const [name, member] of seen.members) {
    const known = declared?.members.get(name) ?? declared?.others;
    visit(member, known, path === "" ? name : `${path}.${name}`, fields, isChecked);
  }
  for (const [name, known] of declared?.members ?? []) {
    if (seen.members.has(name)) continue;
    const kinds = [...known.kinds];
    fields.push({
      path: path === "" ? name : `${path}.${name}`,
      kinds,
      events: 0,
      isRequired: known.isRequired,
      drift: "unseen",
    });
  }
  if (seen.elements !== undefined) walkElements(seen.elements, declared?.elements, `${path}[]`, fields, isChecked);
}

function visit(seen: Seen, known: Declared | undefined, path: string, fields: Field[], isChecked: boolean): void {
  const kinds = [...seen.kinds.keys()];
  const drift = isChecked ? driftOf(kinds, known) : "none";
  fields.push({ path, kinds, events: seen.events, isRequired: known?.isRequired ?? false, drift });
  if (drift !== "undeclared" && !isOpen(known, isChecked)) walk(seen, known, path, fields, isChecked);
}

/** Elements that are objects show their members; others a line of their own only where their kind drifts. */
function walkElements(
  seen: Seen,
  known: Declared | undefined,
  path: string,
  fields: Field[],
  isChecked: boolean,
): void {
  const kinds = [...seen.kinds.keys()];
  const drift = isChecked && known !== undefined ? driftOf(kinds, known) : "none";
  if (drift === "other-kind") fields.push({ path, kinds, events: seen.events, isRequired: false, drift });
  if (!isOpen(known, isChecked)) walk(seen, known, path, fields, isChecked);
}

/** A place of which the schema says no more, so that anything below it is right. */
function isOpen(known: Declared | undefined, isChecked: boolean): boolean {
  return (
    isChecked &&
    (known === undefined || (known.members.size === 0 && known.others === undefined && known.elements === undefined))
  );
}

function driftOf(kinds: readonly JsonKind[], known: Declared | undefined): Field["drift"] {
  if (known === undefined) return "undeclared";
  return known.kinds.size > 0 && kinds.some((kind) => !known.kinds.has(kind)) ? "other-kind" : "none";
}
