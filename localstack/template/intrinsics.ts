import type { Resolver } from "./resolver.ts";
import { TemplateError } from "./template.ts";
import { list, record, text } from "./values.ts";

type Intrinsic = (argument: unknown, path: string, resolver: Resolver) => unknown;

/** The intrinsic function in an object with one key, `Ref` or `Fn::…`; undefined for any other object. */
export function intrinsicOf(value: object): { name: string; argument: unknown } | undefined {
  const entries = Object.entries(value);
  const [entry] = entries;
  if (entry === undefined || entries.length !== 1) return undefined;
  const [name, argument] = entry;
  return name === "Ref" || name.startsWith("Fn::") ? { name, argument } : undefined;
}

/** The functions that the CDK app's template uses where the runtime reads it. */
export const INTRINSICS: Record<string, Intrinsic> = {
  Ref: (argument, path, { ref }) => ref(text(argument, path), path),
  "Fn::GetAtt": (argument, path, { getAtt }) => {
    const [logicalId, attribute] = list(argument, path);
    return getAtt(text(logicalId, path), text(attribute, path), path);
  },
  "Fn::Join": (argument, path, { resolve }) => {
    const [separator, values] = list(argument, path);
    return list(resolve(values, path), path)
      .map((value) => text(value, path))
      .join(text(separator, path));
  },
  "Fn::Split": (argument, path, { resolve }) => {
    const [separator, value] = list(argument, path);
    return text(resolve(value, path), path).split(text(separator, path));
  },
  "Fn::Select": (argument, path, { resolve }) => {
    const [index, values] = list(argument, path);
    const items = list(resolve(values, path), path);
    const item = items[Number(text(index, path))];
    if (item !== undefined) return item;
    throw new TemplateError(`${path}: there is no item ${text(index, path)} in a list of ${items.length}.`);
  },
  "Fn::Sub": (argument, path, resolver) => {
    const [template, given] = typeof argument === "string" ? [argument, {}] : list(argument, path);
    return substitute(text(template, path), record(given, path), path, resolver);
  },
};

/** `${Name}`, `${Name.Attribute}`, and `${!Literal}`, which stays as `${Literal}`. */
function substitute(template: string, given: Record<string, unknown>, path: string, resolver: Resolver): string {
  return template.replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, inner: string) => {
    if (literal !== "") return `\${${inner}}`;
    const name = inner.trim();
    if (Object.hasOwn(given, name)) return text(resolver.resolve(given[name], path), path);
    const dot = name.indexOf(".");
    const value =
      dot === -1 ? resolver.ref(name, path) : resolver.getAtt(name.slice(0, dot), name.slice(dot + 1), path);
    return text(value, path);
  });
}
