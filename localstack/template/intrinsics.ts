import type { Resolver } from "./resolve.ts";
import { NO_VALUE, TemplateError } from "./template.ts";

type Intrinsic = (argument: unknown, path: string, resolver: Resolver) => unknown;

/** The intrinsic function an object stands for: an object with one key, `Ref` or `Fn::…`. */
export function intrinsicOf(value: object): { name: string; argument: unknown } | undefined {
  const entries = Object.entries(value);
  const [entry] = entries;
  if (entry === undefined || entries.length !== 1) return undefined;
  const [name, argument] = entry;
  return name === "Ref" || name.startsWith("Fn::") ? { name, argument } : undefined;
}

export const INTRINSICS: Record<string, Intrinsic> = {
  Ref: (argument, path, { ref }) => ref(text(argument, path), path),
  "Fn::GetAtt": (argument, path, { getAtt, resolve }) => {
    const [logicalId, ...rest] = typeof argument === "string" ? argument.split(".") : list(argument, path);
    const attribute = rest.map((part) => text(resolve(part, path), path)).join(".");
    return getAtt(text(logicalId, path), attribute, path);
  },
  "Fn::Join": (argument, path, { resolve }) => {
    const [separator, values] = list(argument, path);
    return list(resolve(values, path), path)
      .map((value) => text(value, path))
      .join(text(separator, path));
  },
  "Fn::Sub": (argument, path, resolver) => {
    const [template, given] = typeof argument === "string" ? [argument, {}] : list(argument, path);
    return substitute(text(template, path), record(given, path), path, resolver);
  },
  "Fn::Select": (argument, path, { resolve }) => {
    const [index, values] = list(argument, path);
    const position = Number(resolve(index, path));
    const items = list(resolve(values, path), path);
    if (!Number.isInteger(position) || position < 0 || position >= items.length) {
      throw new TemplateError(`${path}: index ${String(position)} is outside a list of ${items.length}.`);
    }
    return items[position];
  },
  "Fn::Split": (argument, path, { resolve }) => {
    const [separator, value] = list(argument, path);
    return text(resolve(value, path), path).split(text(separator, path));
  },
  "Fn::If": (argument, path, { resolve, condition }) => {
    const [name, whenTrue, whenFalse] = list(argument, path);
    return condition(text(name, path), path) ? resolve(whenTrue, `${path}[1]`) : resolve(whenFalse, `${path}[2]`);
  },
  "Fn::FindInMap": (argument, path, { resolve, template }) => {
    const [map, first, second] = list(argument, path).map((key) => text(resolve(key, path), path));
    const value = template.Mappings?.[map ?? ""]?.[first ?? ""]?.[second ?? ""];
    if (value === undefined) throw new TemplateError(`${path}: nothing under ${map}.${first}.${second} in Mappings.`);
    return value;
  },
  "Fn::Base64": (argument, path, { resolve }) =>
    Buffer.from(text(resolve(argument, path), path), "utf8").toString("base64"),
  "Fn::GetAZs": (argument, path, { resolve, environment }) => {
    const region = text(resolve(argument, path), path) || environment.region;
    return ["a", "b", "c"].map((zone) => `${region}${zone}`);
  },
  "Fn::ImportValue": (argument, path) => {
    throw new TemplateError(
      `${path}: ${JSON.stringify(argument)} is exported by another stack, and only one runs locally. Pass it as a parameter.`,
    );
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

function text(value: unknown, path: string): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  const seen = value === NO_VALUE ? "AWS::NoValue" : JSON.stringify(value);
  throw new TemplateError(`${path}: expected text, found ${seen}.`);
}

function list(value: unknown, path: string): unknown[] {
  if (Array.isArray(value)) return value;
  throw new TemplateError(`${path}: expected a list, found ${JSON.stringify(value)}.`);
}

function record(value: unknown, path: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  throw new TemplateError(`${path}: expected an object, found ${JSON.stringify(value)}.`);
}
