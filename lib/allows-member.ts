type Schema = Record<string, unknown>;

/**
 * Tells whether a JSON Schema as zod writes it names a member at a path of keys, or allows any. A key leads through the
 * elements of arrays.
 */
export function allowsMember(root: Schema, path: readonly string[]): boolean {
  return allows(root, path, new Set());

  /** `seen` are the references on the way to this value, which a recursive schema would follow without end. */
  function allows(schema: unknown, [key, ...rest]: readonly string[], seen: ReadonlySet<unknown>): boolean {
    if (key === undefined || schema === true) return schema !== false;
    if (!isSchema(schema)) return false;
    const within = (each: unknown, next: readonly string[] = [key, ...rest], known = seen) => allows(each, next, known);
    const { $ref, properties, additionalProperties, prefixItems, items, anyOf, oneOf, allOf, type } = schema;
    if (typeof $ref === "string") return !seen.has($ref) && within(referred($ref), undefined, new Set([...seen, $ref]));
    if (isSchema(properties) && Object.hasOwn(properties, key)) return within(properties[key], rest, new Set());
    if (isSchema(additionalProperties)) return within(additionalProperties, rest, new Set());
    if ([prefixItems, anyOf, oneOf, allOf].some((list) => Array.isArray(list) && list.some((each) => within(each))))
      return true;
    if (items !== undefined) return within(items);
    return type === undefined && [anyOf, oneOf, allOf].every((list) => list === undefined) && isAny(schema);
  }

  function referred(reference: string): unknown {
    const keys = reference
      .split("/")
      .slice(1)
      .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
    return keys.reduce<unknown>((value, key) => (isSchema(value) ? value[key] : undefined), root);
  }
}

/** A schema without a condition: its only members describe it. */
function isAny(schema: Schema): boolean {
  return ["enum", "const", "not"].every((name) => !(name in schema));
}

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
