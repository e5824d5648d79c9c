import { type Catalog, dataschemasOf, type EventType, findVersion } from "../core/catalog.ts";
import type { TypeList } from "../core/answer.ts";
import { toJsonSchema } from "../core/data-schema.ts";
import { RequestError } from "../core/errors.ts";

/** Reads the catalog: its types, and the schema of `data` in each version. */
export function createApiDocs({ catalog }: { catalog: Catalog }) {
  return {
    types(): TypeList {
      return { types: Array.from(catalog, ([type, versions]) => ({ type, versions: versions.map(toVersion) })) };
    },

    /**
     * Returns the JSON Schema (2020-12) of a type's `data`, of the oldest version where `dataschema` is undefined.
     * @throws RequestError `no_such_type`, `no_such_version`
     */
    schema(type: string, dataschema: string | undefined): Record<string, unknown> {
      const versions = catalog.get(type);
      if (versions === undefined) {
        const types = [...catalog.keys()].toSorted();
        throw new RequestError(
          "no_such_type",
          `${quote(type)} is not in the catalog, which has: ${types.join(", ")}.`,
          {
            members: { types },
          },
        );
      }
      const version = findVersion(versions, dataschema);
      if (version === undefined) {
        const dataschemas = dataschemasOf(versions);
        throw new RequestError(
          "no_such_version",
          `${quote(dataschema)} is no version of ${type}, which has: ${dataschemas.join(", ") || "one without dataschema"}.`,
          { members: { dataschemas } },
        );
      }
      return toJsonSchema(version);
    },
  };
}

function toVersion({ type, dataschema }: EventType) {
  const link = `schemas/${encodeURIComponent(type)}`;
  if (dataschema === undefined) return { link };
  return { dataschema, link: `${link}?dataschema=${encodeURIComponent(dataschema)}` };
}

function quote(text: string | undefined): string {
  return JSON.stringify(text);
}
