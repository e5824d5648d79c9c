import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join, resolve, sep } from "node:path";
import { type EventType, inVersionOrder, toCatalog } from "../functions/core/catalog.ts";
import { readPointer } from "../functions/core/data-path.ts";
import { toJsonSchema } from "../functions/core/data-schema.ts";
import { eventTypeFaults } from "./event-type-faults.ts";
import { allowsMember } from "./allows-member.ts";

/**
 * Loads and checks the event types of a catalog: its `.ts` files, in the order of their versions. Hidden files, tests and
 * declarations are skipped. Files in its folders hold what several event types use.
 * @throws CatalogError that names every file with a fault
 */
export function readCatalog(folder: string): EventType[] {
  const files = sourceFiles(folder);
  const loaded = inVersionOrder(files).map((file) => load(folder, file));
  const faults = loaded.flatMap((each) => each.faults.map((fault) => `${nameOf(folder, each.file)} ${fault}`));
  const types = loaded.filter(({ file }) => !isInFolder(file));
  const eventTypes = types.map(({ file, exports }) => ({ ...exports, file: nameOf(folder, file) }) as EventType);
  if (faults.length === 0)
    faults.push(...versionFaults(eventTypes), ...fieldFaults(eventTypes), ...retentionFaults(eventTypes));
  if (faults.length > 0) throw new CatalogError(faults);
  return eventTypes;
}

/** The files of a catalog that are its event types, in the order of their versions: `catalog/order.ts`. */
export function eventTypeFiles(folder: string): string[] {
  const files = sourceFiles(folder).filter((file) => file.endsWith(".ts") && !isInFolder(file));
  return inVersionOrder(files).map((file) => join(folder, file));
}

/** Each line of the message is one fault and begins with its file. */
export class CatalogError extends Error {
  override readonly name = "CatalogError";

  constructor(faults: readonly string[]) {
    super(`${faults.join("\n")}\n${ADVICE}`);
  }
}

const ADVICE =
  "A file of catalog/ is one event type and exports `type`, `data` and, if wanted, `dataschema` to name its version, `measures`, `indexed` and `retention`. " +
  "What several event types use belongs in a folder, for example catalog/parts/.";

/** Files of a folder that are or look like code, as paths inside it. */
function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory() && /\.[cm]?[jt]sx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(join(folder, sep).length))
    .filter((file) => !IGNORED.test(file));
}

/** Hidden files and folders (of macOS and editors), tests and declarations. */
const IGNORED = /(^|[\\/])\.|\.(test|spec|d)\.[a-z]+$/;

const isInFolder = (file: string): boolean => file.includes(sep);

/** For example `catalog/order.ts`. */
const nameOf = (folder: string, file: string): string => `${basename(folder)}/${file.replaceAll(sep, "/")}`;

type Loaded = { file: string; exports: Record<string, unknown>; faults: string[] };

function load(folder: string, file: string): Loaded {
  if (!file.endsWith(".ts")) return { file, exports: {}, faults: ["is not read: its name must end with .ts"] };
  try {
    const exports = { ...(require(resolve(folder, file)) as object) };
    return { file, exports, faults: isInFolder(file) ? helperFaults(exports) : eventTypeFaults(exports) };
  } catch (error) {
    return { file, exports: {}, faults: [`does not load: ${describe(error, folder)}`] };
  }
}

/** Node's own loader, which runs TypeScript; unlike `import` it answers at once, as the CDK needs it. */
const require = createRequire(import.meta.url);

/** An event type that is not found would go unchecked. */
function helperFaults(exports: object): string[] {
  return "type" in exports && "data" in exports ? ["is an event type in a folder: move it to catalog/ itself"] : [];
}

/** The message of an error, and the first place in the catalog that its stack names. */
function describe(error: unknown, folder: string): string {
  if (!(error instanceof Error)) return String(error);
  const place = error.stack
    ?.split(`${resolve(folder)}${sep}`)
    .at(1)
    ?.match(/^[^\n:()]+\.ts:\d+/)?.[0];
  // Node adds lines, for example a stack of imports.
  const message = error.message.split("\n", 1)[0] ?? "";
  return place === undefined ? message : `${message} (${nameOf(folder, place)})`;
}

/** Versions that no event could name. */
function versionFaults(eventTypes: readonly EventType[]): string[] {
  return [...toCatalog(eventTypes).values()].flatMap((versions) =>
    versions.flatMap(({ file, type, dataschema }, index) => {
      const same = versions.slice(0, index).find((other) => other.dataschema === dataschema);
      if (same !== undefined) {
        const version = dataschema === undefined ? "no dataschema" : `the dataschema ${dataschema}`;
        return [`${file} and ${same.file} both have the type ${type} and ${version}`];
      }
      if (index === 0 || dataschema !== undefined) return [];
      return [
        `${file} lacks \`dataschema\`: ${versions[0]?.file} is the oldest version of ${type}, and only it may have none`,
      ];
    }),
  );
}

/** Versions of a type that name different retentions: an event of an old version would go sooner or later than one of a new one. */
function retentionFaults(eventTypes: readonly EventType[]): string[] {
  return [...toCatalog(eventTypes).values()].flatMap((versions) => {
    const [first, ...others] = versions.filter(({ retention }) => retention !== undefined);
    return others
      .filter(({ retention }) => retention !== first?.retention)
      .map(
        ({ file, type, retention }) =>
          `${file} has the \`retention\` ${retention}, and ${first?.file} ${first?.retention}: ${type} has one in all its versions`,
      );
  });
}

/** Indexed fields that no version of the type has, most likely misspelt: nothing would ever be found by them. */
function fieldFaults(eventTypes: readonly EventType[]): string[] {
  return [...toCatalog(eventTypes).values()].flatMap((versions) => {
    const schemas = versions.map(toJsonSchema);
    return versions.flatMap(({ file, type, indexed = [] }) =>
      indexed
        .filter((pointer) => !schemas.some((schema) => allowsMember(schema, readPointer(pointer) ?? [])))
        .map((pointer) => {
          const advice = "Name keys of objects alone; they lead through the elements of arrays";
          return `${file} has ${pointer} in \`indexed\`, which no version of ${type} has in its \`data\`. ${advice}`;
        }),
    );
  });
}
