import * as z from "zod";
import { AGGREGATE_MAX_PATH_STEPS, MEASURES_MAX } from "../functions/core/aggregate-limits.ts";
import { dataschema, type } from "../functions/core/attributes.ts";
import { readPointer } from "../functions/core/data-path.ts";
import { INDEXED_MAX } from "../functions/core/list-limits.ts";
import { toJsonSchema } from "../functions/core/data-schema.ts";
import { RETENTIONS } from "../functions/core/retention.ts";
import { isAsync } from "./is-async.ts";

/** The faults in what a file of catalog/ exports, each a text that follows the file's name. */
export function eventTypeFaults(exports: Record<string, unknown>): string[] {
  const missing = NAMES.filter((name) => !(name in exports));
  const misspelt = new Set<string>();
  const unknown = Object.keys(exports).filter((name) => !NAMES.includes(name as Name) && name !== ADDED_BY_NODE);
  const faults = unknown.map((name) => {
    const meant = missing.find((each) => isWithin(MAX_TYPOS, name.toLowerCase(), each));
    if (meant === undefined) return `exports \`${name}\`, which is no part of an event type`;
    misspelt.add(meant);
    return `exports \`${name}\`; did you mean \`${meant}\`?`;
  });
  const absent = missing.filter((name) => !OPTIONAL.has(name) && !misspelt.has(name));
  faults.push(...absent.map((name) => `exports no \`${name}\``));
  return faults.length > 0 ? faults : valueFaults(exports);
}

type Name = "type" | "dataschema" | "data" | "measures" | "indexed" | "retention";
const NAMES: readonly Name[] = ["type", "dataschema", "data", "measures", "indexed", "retention"];
const OPTIONAL: ReadonlySet<Name> = new Set(["dataschema", "measures", "indexed", "retention"]);

/** Node adds it to a module with a default export. https://nodejs.org/docs/latest-v24.x/api/modules.html */
const ADDED_BY_NODE = "__esModule";

/** More would make other words of `type` and `data`. */
const MAX_TYPOS = 2;

/** Tells whether one word becomes the other by so many insertions, deletions or replacements of a character. */
function isWithin(edits: number, one: string, other: string): boolean {
  if (one === "" || other === "") return one.length + other.length <= edits;
  const [oneRest, otherRest] = [one.slice(1), other.slice(1)];
  if (one[0] === other[0]) return isWithin(edits, oneRest, otherRest);
  if (edits === 0) return false;
  return (
    isWithin(edits - 1, oneRest, other) ||
    isWithin(edits - 1, one, otherRest) ||
    isWithin(edits - 1, oneRest, otherRest)
  );
}

function valueFaults(exports: Record<string, unknown>): string[] {
  const { type: name, dataschema: version, data, measures, indexed, retention } = exports;
  return [
    ...attributeFaults("type", type(), name),
    ...attributeFaults("dataschema", dataschema(), version),
    ...schemaFaults(data),
    ...pointerFaults("measures", MEASURES_MAX, measures),
    ...pointerFaults("indexed", INDEXED_MAX, indexed),
    ...retentionFaults(retention),
  ];
}

function retentionFaults(retention: unknown): string[] {
  if (retention === undefined || RETENTIONS.some((name) => name === retention)) return [];
  const names = RETENTIONS.map((each) => JSON.stringify(each)).join(", ");
  return [`has the \`retention\` ${JSON.stringify(retention)}; write one of ${names}`];
}

function pointerFaults(name: "measures" | "indexed", most: number, pointers: unknown): string[] {
  if (pointers === undefined) return [];
  if (!Array.isArray(pointers) || pointers.length > most) {
    return [`has \`${name}\` that are no list of at most ${most} JSON Pointers into \`data\``];
  }
  return pointers.flatMap((pointer: unknown, index) => {
    if (pointers.indexOf(pointer) < index) return [`names ${String(pointer)} twice in \`${name}\``];
    const path = typeof pointer === "string" ? readPointer(pointer) : undefined;
    if (path !== undefined && path.length > 0) return [];
    return [
      `has ${JSON.stringify(pointer)} in \`${name}\`, which is no JSON Pointer into \`data\`, such as /total, with at most ${AGGREGATE_MAX_PATH_STEPS} keys`,
    ];
  });
}

function attributeFaults(name: Name, schema: z.ZodType, value: unknown): string[] {
  const issue = schema.safeParse(value).error?.issues[0];
  return issue === undefined ? [] : [`has a \`${name}\` that no event can have: ${issue.message}`];
}

function schemaFaults(data: unknown): string[] {
  if (!isSchema(data)) return ["has a `data` that is no schema of zod 4"];
  try {
    JSON.stringify(toJsonSchema({ type: "", data }));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return [`has a \`data\` that cannot be written as JSON Schema, which GET /schemas needs: ${why}`];
  }
  if (isAsync(data)) return ["has a `data` with an asynchronous check or transform; ingest needs its answer at once"];
  const broken = brokenBy(data);
  if (broken !== undefined) return [`has a \`data\` that can check no value: ${broken}`];
  return foreignTypes(data).map((name) => `has a \`data\` with a ${name}, which JSON does not have: ${INSTEAD[name]}`);
}

/** The error that zod itself throws when the schema checks a value; an error of the user's own check may be meant. */
function brokenBy(data: z.ZodType): string | undefined {
  for (const value of [{}, [], "", 0, true, null]) {
    try {
      data.safeParse(value);
    } catch (error) {
      const [, thrownIn = ""] = (error instanceof Error ? error.stack : undefined)?.split("\n    at ") ?? [];
      if (/[\\/]node_modules[\\/]zod[\\/]/.test(thrownIn)) return (error as Error).message;
    }
  }
  return undefined;
}

/** The types of zod that no value of JSON has, and what to write for them. */
const INSTEAD: Record<string, string> = {
  date: "write z.iso.datetime()",
  bigint: "write z.int(), or z.string() for digits that a double does not hold",
  map: "write z.record()",
  set: "write z.array()",
  symbol: "write z.string()",
  undefined: "write z.optional()",
  void: "write z.optional()",
  function: "leave it out",
  file: "write z.string()",
};

/** The types of a schema's input that JSON does not have, each once. `z.coerce` makes them of text and numbers. */
function foreignTypes(data: z.ZodType): string[] {
  const found = new Set<string>();
  z.toJSONSchema(data, {
    io: "input",
    unrepresentable: "any",
    override: ({ zodSchema }) => {
      const { def } = zodSchema._zod;
      if (def.type in INSTEAD && !("coerce" in def && def.coerce)) found.add(def.type);
    },
  });
  return [...found];
}

function isSchema(data: unknown): data is z.ZodType {
  return data instanceof z.core.$ZodType;
}
