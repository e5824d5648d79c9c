import * as z from "zod";
import { schemas } from "../../functions/core/answer.ts";
import type { ApiClient } from "../access/api-client.ts";
import { type JsonSchema, type SampleDeps, sampleOf } from "./sample.ts";

export type LoadType = { type: string; dataschema?: string | undefined; schema: JsonSchema };

export type LoadEvent = { id: string; source: string; json: string; isBad: boolean };

/** Reads the event types of the stack's own catalog, each version with the schema of its data. */
export async function readTypes(api: ApiClient): Promise<LoadType[]> {
  const { types } = await api.call({ method: "GET", path: "/schemas" }, schemas.Types);
  const versions = types.flatMap(({ type, versions }) => versions.map(({ dataschema }) => ({ type, dataschema })));
  return Promise.all(
    versions.map(async ({ type, dataschema }) => {
      const path = `/schemas/${encodeURIComponent(type)}` as const;
      const schema = await api.call({ method: "GET", path, query: { dataschema } }, jsonSchema);
      return { type, dataschema, schema };
    }),
  );
}

const jsonSchema = z.record(z.string(), z.unknown()) as z.ZodType<JsonSchema>;

/** The type of events where the catalog has none: the API accepts it unchecked. */
const UNKNOWN: LoadType = {
  type: "com.example.load",
  schema: { type: "object", properties: { value: { type: "number" } }, required: ["value"] },
};

export type MixDeps = SampleDeps & { newId: () => string };

/**
 * Makes events of all types in equal parts.
 * @param badShare the part of the events, from 0 to 1, that have a mistake as producers make them, and are refused
 */
export function createMix(types: readonly LoadType[], badShare: number, deps: MixDeps) {
  const chosen = types.length === 0 ? [UNKNOWN] : types;
  const pick = <T>(values: readonly T[]) => values[Math.floor(deps.random() * values.length)] as T;

  function valid({ type, dataschema, schema }: LoadType, source: string) {
    const attributes = { id: deps.newId(), source, type, time: deps.clock().toISOString() };
    return { ...attributes, ...(dataschema !== undefined && { dataschema }), data: sampleOf(schema, deps, "data") };
  }

  return {
    event(source: string): LoadEvent {
      const type = pick(chosen);
      const event = valid(type, source);
      const isBad = deps.random() < badShare;
      const sent = isBad ? pick(MISTAKES)(event, pick(type.schema.required ?? [])) : event;
      return { id: event.id, source, json: JSON.stringify(sent), isBad };
    },
    /** A valid event of each type, to ask the API about. */
    eventOfEach: (source: string): LoadEvent[] =>
      chosen.map((type) => {
        const event = valid(type, source);
        return { id: event.id, source, json: JSON.stringify(event), isBad: false };
      }),
    types: chosen,
  };
}

type Sent = { data: unknown; [attribute: string]: unknown };

/** A renamed member, a value of another type, and an attribute that is missing. `name` is a required member, if there is one. */
const MISTAKES: readonly ((event: Sent, name: string | undefined) => object)[] = [
  (event, name) => {
    if (name === undefined) return withoutType(event);
    const { [name]: value, ...rest } = event.data as Record<string, unknown>;
    return { ...event, data: { ...rest, [`${name}_new`]: value } };
  },
  (event, name) => {
    if (name === undefined) return withoutType(event);
    return { ...event, data: { ...(event.data as object), [name]: { wrong: true } } };
  },
  withoutType,
];

function withoutType({ type: _type, ...rest }: Sent): object {
  return rest;
}
