import { isJsonObject } from "../../../functions/core/lossless-json.ts";

export type Path = readonly (string | number)[];

/** Finds the value at a path; undefined where there is none. */
export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((at, step) => {
    if (Array.isArray(at)) return (at as unknown[])[Number(step)];
    return isJsonObject(at) && Object.hasOwn(at, step) ? at[step] : undefined;
  }, value);
}

/** Copies a value with another one at a path; undefined removes the member or element. Objects on the way are made. */
export function withValueAt(value: unknown, path: Path, next: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return next;
  if (Array.isArray(value)) {
    const elements: unknown[] = [...(value as unknown[])];
    const element = withValueAt(elements[Number(step)], rest, next);
    if (element === undefined) elements.splice(Number(step), 1);
    else elements[Number(step)] = element;
    return elements;
  }
  const members = isJsonObject(value) ? { ...value } : {};
  const member = withValueAt(members[step], rest, next);
  if (member === undefined) delete members[step];
  else Object.defineProperty(members, step, { value: member, enumerable: true, writable: true, configurable: true });
  return members;
}

/** RFC 6901 section 3. */
export const pointerOf = (path: Path): string =>
  path.map((step) => `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
