import type { JsonKind } from "../../parts/json-parts.ts";

/** The words of a JSON Schema about one place. */
export type Declared = {
  /** Empty where it says nothing, so that any kind is right. */
  kinds: Set<JsonKind>;
  isRequired: boolean;
  members: Map<string, Declared>;
  /** Of members with other names: what is declared of them, or nothing. */
  others: Declared | undefined;
  elements: Declared | undefined;
};

type Schema = {
  type?: string | readonly string[];
  properties?: Record<string, Schema>;
  required?: readonly string[];
  additionalProperties?: Schema | boolean;
  patternProperties?: Record<string, Schema>;
  items?: Schema | boolean;
  prefixItems?: readonly Schema[];
  const?: unknown;
  enum?: readonly unknown[];
  $ref?: string;
  $defs?: Record<string, Schema>;
} & Partial<Record<"anyOf" | "oneOf" | "allOf", readonly Schema[]>>;

/** References are followed so deep: a schema may refer to itself. */
const MAX_DEPTH = 12;

/** The fields that a schema of `data` declares. Alternatives are put together: a field of one of them is declared. */
export function fieldsDeclared(schema: object): Declared {
  const declared = nothingDeclared();
  read(schema, declared, schema, 0);
  return declared;
}

function nothingDeclared(): Declared {
  return { kinds: new Set(), isRequired: false, members: new Map(), others: undefined, elements: undefined };
}

function read(schema: Schema, into: Declared, root: Schema, depth: number): void {
  if (depth > MAX_DEPTH) return;
  for (const kind of kindsOf(schema)) into.kinds.add(kind);
  for (const [name, member] of Object.entries(schema.properties ?? {})) {
    const declared = into.members.get(name) ?? nothingDeclared();
    into.members.set(name, declared);
    if (schema.required?.includes(name) === true) declared.isRequired = true;
    read(member, declared, root, depth + 1);
  }
  for (const others of [schema.additionalProperties, ...Object.values(schema.patternProperties ?? {})]) {
    if (typeof others === "object") read(others, (into.others ??= nothingDeclared()), root, depth + 1);
  }
  for (const elements of [schema.items, ...(schema.prefixItems ?? [])]) {
    if (typeof elements === "object") read(elements, (into.elements ??= nothingDeclared()), root, depth + 1);
  }
  const referred = schema.$ref === undefined ? [] : [resolve(schema.$ref, root)];
  for (const part of [...referred, ...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])]) {
    read(part, into, root, depth + 1);
  }
}

function kindsOf(schema: Schema): JsonKind[] {
  const values = "const" in schema ? [schema.const] : (schema.enum ?? []);
  const types = [schema.type ?? []].flat().map((type) => (type === "integer" ? "number" : (type as JsonKind)));
  return types.length > 0 ? types : values.map(kindOfValue);
}

function kindOfValue(value: unknown): JsonKind {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : (typeof value as JsonKind);
}

/** The schema that a reference within the document names. */
function resolve(reference: string, root: Schema): Schema {
  if (!reference.startsWith("#")) return {};
  let at: unknown = root;
  for (const step of reference.slice(1).split("/").slice(1)) {
    const key = decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~");
    at = typeof at === "object" && at !== null ? (at as Record<string, unknown>)[key] : undefined;
  }
  return typeof at === "object" && at !== null ? at : {};
}
