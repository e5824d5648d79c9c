import type { Resolver } from "./resolver.ts";
import { TemplateError } from "./template.ts";
import { list, mismatch, record, text } from "./values.ts";

/**
 * The properties that a reader knows. `used` are read; `inert` change nothing on this machine (tags, roles, tracing).
 * A property in neither list is an error: AWS would act on it, and the local stack would not.
 */
export type Shape = { used: readonly string[]; inert: readonly string[] };

/** Typed access to resolved properties; every error names the place in the template and the value found. */
export type Properties = {
  path: string;
  value: (name: string) => unknown;
  text: (name: string) => string;
  optionalText: (name: string) => string | undefined;
  number: (name: string, whenAbsent: number) => number;
  optionalNumber: (name: string) => number | undefined;
  flag: (name: string, whenAbsent: boolean) => boolean;
  texts: (name: string) => string[];
  /** Text values by key; an absent property is an empty record. */
  textRecord: (name: string) => Record<string, string>;
  object: (name: string, shape: Shape) => Properties | undefined;
  objects: (name: string, shape: Shape) => Properties[];
};

export function propertiesOf(resolver: Resolver, logicalId: string, shape: Shape): Properties {
  const path = `${logicalId}.Properties`;
  return createProperties(resolver.resources[logicalId]?.Properties ?? {}, path, shape, resolver.resolve);
}

function createProperties(
  source: Record<string, unknown>,
  path: string,
  shape: Shape,
  resolve: Resolver["resolve"],
): Properties {
  const place = (name: string) => `${path}.${name}`;
  const value = (name: string): unknown => resolve(source[name], place(name));
  for (const name of Object.keys(source)) {
    if (shape.used.includes(name) || shape.inert.includes(name)) continue;
    throw new TemplateError(`${place(name)} is not supported by the local stack. Remove it, or teach its reader.`);
  }

  const optionalText = (name: string): string | undefined => {
    const found = value(name);
    if (found === undefined || typeof found === "string") return found;
    if (typeof found === "number") return String(found);
    throw mismatch(place(name), "text", found);
  };
  const optionalNumber = (name: string): number | undefined => {
    const found = value(name);
    if (found === undefined) return undefined;
    const number = typeof found === "string" && found.trim() !== "" ? Number(found) : found;
    if (typeof number === "number" && Number.isFinite(number)) return number;
    throw mismatch(place(name), "a number", found);
  };
  const nested = (item: unknown, where: string, inner: Shape): Properties =>
    createProperties(record(item, where), where, inner, (resolved) => resolved);

  return {
    path,
    value,
    optionalText,
    optionalNumber,
    text: (name) => {
      const found = optionalText(name);
      if (found === undefined) throw new TemplateError(`${place(name)} is missing.`);
      return found;
    },
    number: (name, whenAbsent) => optionalNumber(name) ?? whenAbsent,
    flag: (name, whenAbsent) => {
      const found = value(name) ?? whenAbsent;
      if (found === true || found === "true") return true;
      if (found === false || found === "false") return false;
      throw mismatch(place(name), "true or false", found);
    },
    texts: (name) => list(value(name) ?? [], place(name)).map((item, index) => text(item, `${place(name)}[${index}]`)),
    textRecord: (name) =>
      Object.fromEntries(
        Object.entries(record(value(name) ?? {}, place(name))).map(([key, item]) => [
          key,
          text(item, `${place(name)}.${key}`),
        ]),
      ),
    object: (name, inner) => (value(name) === undefined ? undefined : nested(value(name), place(name), inner)),
    objects: (name, inner) =>
      list(value(name) ?? [], place(name)).map((item, index) => nested(item, `${place(name)}[${index}]`, inner)),
  };
}
