import { isJsonObject, parseVerbatim } from "./lossless-json.ts";
import { toSteps } from "./member-path.ts";

/** A member of an event: its name in `select`, and the steps to it. */
export type Column = { name: string; steps: readonly string[] };

/** The columns of CSV without `select`: every attribute that Sluice knows, and the data as JSON. */
const DEFAULT_COLUMNS = ["id", "source", "type", "subject", "time", "receivedat", "data"];

/** Reads the paths of `select`: names with points between them, or JSON Pointers (RFC 6901), as the lists of events do. */
export function toColumns(select: readonly string[] = DEFAULT_COLUMNS): Column[] {
  return select.map((name) => ({ name, steps: toSteps(name) }));
}

/** The values of an event, one a column, with numbers as they were sent. A path leads through objects. */
export function valuesOf(json: string, columns: readonly Column[]): unknown[] {
  const event = parseVerbatim(json);
  return columns.map(({ steps }) =>
    steps.reduce<unknown>(
      (value, step) => (isJsonObject(value) && Object.hasOwn(value, step) ? value[step] : undefined),
      event,
    ),
  );
}
