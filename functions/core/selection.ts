import { SELECT_MAX_PATHS, SELECT_MAX_STEPS, SELECT_PATH_MAX_BYTES } from "./list-limits.ts";
import { endOfValue, skipSpace } from "./json-spans.ts";
import { endOfString } from "./end-of-string.ts";
import { toSteps } from "./member-path.ts";

/** The members of an event that an answer has, by name: all of a member, or some members of it. */
export type Selection = ReadonlyMap<string, Selection | "all">;

/**
 * Reads the paths of `select`: names with points between them (`data.total`), or JSON Pointers (`/data/a.b`) for names that
 * have points or commas themselves.
 * @param refuse gets the fault of a path, which continues the parameter's name. @default for paths that were checked before
 */
export function toSelection(paths: readonly string[], refuse: (fault: string) => never = fail): Selection {
  if (paths.length > SELECT_MAX_PATHS) refuse(`names ${paths.length} members; the most are ${SELECT_MAX_PATHS}`);
  const selection: Tree = new Map();
  for (const path of paths) add(selection, checked(path, refuse));
  return selection;
}

function fail(fault: string): never {
  throw new RangeError(`select ${fault}.`);
}

type Tree = Map<string, Tree | "all">;

function checked(path: string, refuse: (fault: string) => never): string[] {
  if (Buffer.byteLength(path) > SELECT_PATH_MAX_BYTES) refuse(`has a path over ${SELECT_PATH_MAX_BYTES} bytes`);
  const quoted = JSON.stringify(path);
  const steps = toSteps(path);
  if (steps.includes("")) {
    refuse(`has the path ${quoted}, in which a name is empty; write \`type\`, \`data.total\` or \`/data/total\``);
  }
  if (steps.length > SELECT_MAX_STEPS) refuse(`has the path ${quoted} of more than ${SELECT_MAX_STEPS} names`);
  return steps;
}

function add(tree: Tree, [name = "", ...rest]: string[]): void {
  const known = tree.get(name);
  if (known === "all") return;
  if (rest.length === 0) {
    tree.set(name, "all");
    return;
  }
  const below = known ?? new Map();
  tree.set(name, below);
  add(below, rest);
}

/**
 * Takes the selected members out of the JSON text of an event, which stay as they are written. A path leads through objects;
 * a member that is not there is left out, and so is an object of which nothing is left.
 */
export function project(json: string, selection: Selection): string {
  return projectObject(json, 0, selection) ?? "{}";
}

function projectObject(json: string, start: number, selection: Selection): string | undefined {
  const kept: string[] = [];
  let at = skipSpace(json, start + 1);
  while (json[at] === '"') {
    const endOfName = endOfString(json, at + 1) + 1;
    const name = json.slice(at, endOfName);
    const value = skipSpace(json, skipSpace(json, endOfName) + 1);
    const end = endOfValue(json, value);
    const wanted = selection.get(name.includes("\\") ? String(JSON.parse(name)) : name.slice(1, -1));
    const text =
      wanted === "all"
        ? json.slice(value, end)
        : wanted !== undefined && json[value] === "{"
          ? projectObject(json, value, wanted)
          : undefined;
    if (text !== undefined) kept.push(`${name}:${text}`);
    at = skipSpace(json, end);
    if (json[at] === ",") at = skipSpace(json, at + 1);
  }
  return kept.length === 0 ? undefined : `{${kept.join(",")}}`;
}
