import { isObject } from "../is-object.ts";
import { TemplateError } from "./template.ts";

/** The value as text. @throws TemplateError that names the place and the value found */
export function text(value: unknown, path: string): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  throw mismatch(path, "text", value);
}

/** The value as a list. @throws TemplateError that names the place and the value found */
export function list(value: unknown, path: string): unknown[] {
  if (Array.isArray(value)) return value;
  throw mismatch(path, "a list", value);
}

/** The value as an object. @throws TemplateError that names the place and the value found */
export function record(value: unknown, path: string): Record<string, unknown> {
  if (isObject(value)) return value;
  throw mismatch(path, "an object", value);
}

export function mismatch(path: string, expected: string, found: unknown): TemplateError {
  return new TemplateError(`${path}: expected ${expected}, found ${JSON.stringify(found)}.`);
}
