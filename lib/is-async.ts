import type * as z from "zod";

/**
 * Tells whether a part of a schema answers by a promise, so that zod cannot use the schema at once. Each check and transform
 * is called with `undefined`, because a function that returns a promise need not be declared `async`. One that does so for
 * some values only is not found here; ingest refuses such an event with `schema_failed`.
 */
export function isAsync(schema: z.core.$ZodType): boolean {
  return [...partsOf(schema)].some(({ check, def }) => {
    const payload: z.core.ParsePayload = { value: undefined, issues: [] };
    return (
      def.type === "promise" ||
      isPromised(() => check?.(payload)) ||
      isPromised(() => def.transform?.(undefined, payload))
    );
  });
}

/** The parts that zod keeps in a schema or check. */
type Part = {
  check?: (payload: z.core.ParsePayload) => unknown;
  def: { type?: string; transform?: (value: unknown, payload: z.core.ParsePayload) => unknown };
  /** Of a lazy schema. */
  innerType?: unknown;
};

/** A schema with all schemas and checks inside it. */
function partsOf(value: unknown, found = new Set<Part>()): Set<Part> {
  const part = (value as { _zod?: Part } | null | undefined)?._zod;
  if (part === undefined || found.has(part)) return found;
  found.add(part);
  for (const member of [part.innerType, ...Object.values(part.def)]) {
    partsOf(member, found);
    // Lists of checks, options or items, and the shape of an object.
    if (typeof member === "object" && member !== null) for (const each of Object.values(member)) partsOf(each, found);
  }
  return found;
}

function isPromised(call: () => unknown): boolean {
  try {
    const returned = call();
    if (!(returned instanceof Promise)) return false;
    returned.catch(() => undefined);
    return true;
  } catch {
    // It expects the values that the schema admits.
    return false;
  }
}
