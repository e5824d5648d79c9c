import type { EventError } from "../core/errors.ts";
import { matchesAny } from "../core/patterns.ts";
import type { Principal } from "../core/principal.ts";
import type { Validated } from "../core/validate.ts";

/** Makes the events invalid whose type or source the caller's key may not send. A key without patterns may send every one. */
export function onlyAllowed(
  judged: Validated[],
  { types, sources }: Pick<Principal, "types" | "sources">,
): Validated[] {
  if (types === undefined && sources === undefined) return judged;
  return judged.map((each) => {
    if (each.kind === "invalid") return each;
    const { id, type, source } = each.event;
    const errors = [...refusal("type", type, types), ...refusal("source", source, sources)];
    return errors.length === 0 ? each : { kind: "invalid", id, errors };
  });
}

/** Patterns that a message names; a key may have more, each as long as a source. */
const NAMED_MAX = 5;

function refusal(name: "type" | "source", value: string, patterns: readonly string[] | undefined): EventError[] {
  if (matchesAny(patterns, value)) return [];
  const named = patterns?.slice(0, NAMED_MAX).join(", ");
  const message = `is not what the key may send (${named}${(patterns?.length ?? 0) > NAMED_MAX ? ", …" : ""}); use a key for this ${name}`;
  return [{ path: `/${name}`, code: "not_allowed", message }];
}
