/** The members of a JSON Schema that a value here follows. Anything else in it is left to the check of the API. */
export type JsonSchema = {
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  allOf?: JsonSchema[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  /** False behind the items of a tuple. */
  items?: JsonSchema | boolean;
  prefixItems?: JsonSchema[];
  minItems?: number;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  multipleOf?: number;
  pattern?: string;
  format?: string;
};

export type SampleDeps = {
  /** From 0 to below 1. */
  random: () => number;
  clock: () => Date;
  /** A text that matches a pattern for which there is no rule here. */
  matching: (pattern: string) => string;
};

/**
 * A value that a schema describes. A text without a form is its member's name and a number, so that values repeat as those of
 * customers and devices do.
 */
export function sampleOf(schema: JsonSchema, deps: SampleDeps, name = "value"): unknown {
  const { random } = deps;
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  if ("const" in schema) return schema.const;
  if (schema.enum !== undefined) return pick(schema.enum);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return sampleOf(pick(choices), deps, name);
  if (schema.allOf !== undefined) return sampleOf(Object.assign({}, ...schema.allOf) as JsonSchema, deps, name);
  const type = Array.isArray(schema.type) ? pick(schema.type) : schema.type;
  if (type === "string") return sampleText(schema, deps, name);
  if (type === "integer" || type === "number") return sampleNumber(schema, type, random);
  if (type === "boolean") return random() < 0.5;
  if (type === "null") return null;
  if (type === "array") return sampleArray(schema, deps, name);
  return sampleObject(schema, deps);
}

function sampleObject({ properties = {}, required = [] }: JsonSchema, deps: SampleDeps): Record<string, unknown> {
  const members = Object.entries(properties).filter(([name]) => required.includes(name) || deps.random() < 0.5);
  return Object.fromEntries(members.map(([name, schema]) => [name, sampleOf(schema, deps, name)]));
}

function sampleArray(schema: JsonSchema, deps: SampleDeps, name: string): unknown[] {
  const first = (schema.prefixItems ?? []).map((each) => sampleOf(each, deps, name));
  const { items } = schema;
  if (typeof items !== "object") return first;
  const length = Math.max(schema.minItems ?? 0, Math.floor(deps.random() * MORE_ITEMS));
  return [...first, ...Array.from({ length: length - first.length }, () => sampleOf(items, deps, name))];
}

function sampleText(schema: JsonSchema, { random, clock, matching }: SampleDeps, name: string): string {
  const digits = (count: number) => String(Math.floor(random() * 10 ** count)).padStart(count, "0");
  if (schema.format === "date-time") return clock().toISOString();
  if (schema.format === "date") return clock().toISOString().slice(0, 10);
  if (schema.format === "uuid") return `${digits(8)}-${digits(4)}-4${digits(3)}-8${digits(3)}-${digits(12)}`;
  if (schema.format === "email") return `${name}-${digits(3)}@example.com`;
  if (schema.format === "uri") return `https://example.com/${name}/${digits(3)}`;
  if (schema.pattern !== undefined) return matching(schema.pattern);
  const text = `${name}-${Math.floor(random() * DISTINCT_TEXTS)}`.padEnd(schema.minLength ?? 0, "-");
  return text.slice(0, schema.maxLength);
}

function sampleNumber(schema: JsonSchema, type: "integer" | "number", random: () => number): number {
  const step = schema.multipleOf ?? (type === "integer" ? 1 : 0.01);
  const least = Math.ceil((schema.minimum ?? (schema.exclusiveMinimum ?? -step) + step) / step);
  const most = Math.floor((schema.maximum ?? (schema.exclusiveMaximum ?? Infinity) - step) / step);
  const steps = Math.min(most - least + 1, NUMBERS);
  // A product of a fraction is no decimal: 3 × 0.01 is 0.03, and 29 × 0.01 is 0.29 only when rounded.
  return Number(((least + Math.floor(random() * steps)) * step).toFixed(10));
}

/** Items of an array, at most, where the schema asks for no more. */
const MORE_ITEMS = 4;

/** Values of one text, as many as a shop may have of a customer or an article in a minute. */
const DISTINCT_TEXTS = 1_000;

/** Values of one number; an amount of cents or a reading with two decimals. */
const NUMBERS = 10_000;
