import { type Path, pointerOf, valueAt } from "./draft.ts";

/** A JSON Schema, as `GET /schemas/{type}` answers it. */
export type Schema = { readonly [keyword: string]: unknown };

/** A field of the form: an input, or a group of fields. `json` is a value that no simpler input can hold. */
export type Field = {
  kind: "text" | "number" | "boolean" | "choice" | "json" | "group" | "list";
  path: Path;
  /** The place of the value in the event; errors name it too. */
  pointer: string;
  label: string;
  required: boolean;
  hint: string;
  choices: readonly unknown[];
  /** The members of a group; the elements of a list, as many as the draft has. */
  fields: readonly Field[];
  /** The schema of a list's further elements. */
  items: Schema;
};

/** The field for a part of the draft, by its schema. A draft that has another form than the schema gets a `json` field. */
export function fieldOf(schema: Schema, draft: unknown, path: Path, required = true): Field {
  const value = valueAt(draft, path);
  const step = path.at(-1);
  const field = {
    path,
    pointer: pointerOf(path),
    label: typeof step === "number" ? `${step + 1}` : (step ?? ""),
    required,
    hint: hintOf(schema),
    choices: choicesOf(schema),
    fields: [] as Field[],
    items: asSchema(schema["items"]),
  };
  const kind = kindOf(schema, value);
  if (kind === "group") {
    const names = Array.isArray(schema["required"]) ? (schema["required"] as unknown[]) : [];
    const members = Object.entries(asSchema(schema["properties"]));
    const fields = members.map(([name, member]) =>
      fieldOf(asSchema(member), draft, [...path, name], names.includes(name)),
    );
    return { ...field, kind, fields };
  }
  if (kind !== "list") return { ...field, kind };
  const elements = Array.isArray(value) ? value : [];
  return { ...field, kind, fields: elements.map((_, index) => fieldOf(field.items, draft, [...path, index])) };
}

function kindOf(schema: Schema, value: unknown): Field["kind"] {
  const isAbsent = value === undefined;
  if (choicesOf(schema).length > 0) return "choice";
  switch (schema["type"]) {
    case "object":
      return schema["properties"] !== undefined && (isAbsent || isObject(value)) ? "group" : "json";
    case "array":
      return isSchema(schema["items"]) && (isAbsent || Array.isArray(value)) ? "list" : "json";
    case "string":
      return isAbsent || typeof value === "string" ? "text" : "json";
    case "number":
    case "integer":
      return isAbsent || !isObject(value) || "rawJSON" in value ? "number" : "json";
    case "boolean":
      return isAbsent || typeof value === "boolean" ? "boolean" : "json";
    default:
      return "json";
  }
}

function choicesOf(schema: Schema): readonly unknown[] {
  if ("const" in schema) return [schema["const"]];
  return Array.isArray(schema["enum"]) ? (schema["enum"] as unknown[]) : [];
}

/** The rules of a value in words, beside its input. */
function hintOf(schema: Schema): string {
  const { description, format, pattern, minimum, maximum, exclusiveMinimum, minLength, minItems, type } = schema;
  const parts = [
    description,
    format,
    typeof pattern !== "string" || format !== undefined ? undefined : `like ${pattern}`,
    type === "integer" ? "whole number" : undefined,
    isRule(exclusiveMinimum, Number.MIN_SAFE_INTEGER) ? `above ${exclusiveMinimum}` : undefined,
    isRule(minimum, Number.MIN_SAFE_INTEGER) ? `at least ${minimum}` : undefined,
    isRule(maximum, Number.MAX_SAFE_INTEGER) ? `at most ${maximum}` : undefined,
    isRule(minLength, 1) ? `at least ${minLength} characters` : undefined,
    isRule(minItems, 0) ? `at least ${minItems}` : undefined,
  ];
  return parts.filter((part) => typeof part === "string").join(", ");
}

/** Bounds that every value keeps are no rule. */
const isRule = (bound: unknown, free: number): bound is number => typeof bound === "number" && bound !== free;

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isSchema = (value: unknown): value is Schema => isObject(value);
const asSchema = (value: unknown): Schema => (isSchema(value) ? value : {});

/** A value that the schema accepts, as far as a simple look at it can find one; required members only. */
export function exampleOf(schema: Schema, now: Date): unknown {
  const { type, examples, format, minLength, pattern } = schema;
  if (Array.isArray(examples) && examples.length > 0) return examples[0] as unknown;
  if ("default" in schema) return schema["default"];
  const [choice] = choicesOf(schema);
  if (choice !== undefined) return choice;
  if (type === "object") {
    const required = Array.isArray(schema["required"]) ? (schema["required"] as unknown[]) : [];
    const members = Object.entries(asSchema(schema["properties"])).filter(([name]) => required.includes(name));
    return Object.fromEntries(members.map(([name, member]) => [name, exampleOf(asSchema(member), now)]));
  }
  if (type === "array") return (Number(schema["minItems"]) || 0) > 0 ? [exampleOf(asSchema(schema["items"]), now)] : [];
  if (type === "boolean") return false;
  if (type === "number" || type === "integer") return exampleNumber(schema);
  if (type !== "string") return type === "null" ? null : {};
  const text = TEXTS[String(format)]?.(now);
  if (text !== undefined) return text;
  return typeof pattern === "string" ? matching(pattern) : "example".padEnd(Number(minLength) || 0, ".");
}

function exampleNumber({ minimum, exclusiveMinimum, maximum }: Schema): number {
  const lowest = typeof exclusiveMinimum === "number" ? exclusiveMinimum + 1 : minimum;
  if (typeof lowest === "number" && lowest > 1) return lowest;
  return typeof maximum === "number" ? Math.min(1, maximum) : 1;
}

const TEXTS: Readonly<Record<string, (now: Date) => string>> = {
  "date-time": (now) => now.toISOString(),
  date: (now) => now.toISOString().slice(0, 10),
  email: () => "ada@example.com",
  uri: () => "https://example.com/",
  uuid: () => "6f1b0a52-3d0c-4e57-9d0e-0f7c2a5f4b11",
};

/** A text for a pattern by trial; empty where none of the common forms fits. */
function matching(pattern: string): string {
  const test = new RegExp(pattern, "u");
  return ["EUR", "DE", "example", "1", "A1", "a-1", "example.com", "00000000"].find((text) => test.test(text)) ?? "";
}
