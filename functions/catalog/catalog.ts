import type * as z from "zod";
import * as types from "./types.generated.ts";

/**
 * One version of a type of event: its CloudEvents `type`, the `dataschema` that names the version, and the schema of
 * its `data`. Fields the schema does not name are kept.
 */
export type EventType = { type: string; dataschema: string; data: z.ZodType };

/** Type to its versions, oldest first: an event without `dataschema` means the oldest. */
export type Catalog = ReadonlyMap<string, readonly EventType[]>;

/** The types Sluice checks `data` of: every other file in this folder, in the order of their names. */
export const catalog: Catalog = Map.groupBy<string, EventType>(Object.values(types), ({ type }) => type);
