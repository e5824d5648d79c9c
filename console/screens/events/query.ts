import { writePointer } from "../../../functions/core/data-path.ts";
import { memberText } from "../../../functions/core/json-spans.ts";
import { toSteps } from "../../../functions/core/member-path.ts";
import { conditionsOf, toFilter } from "../../parts/filter-params.ts";
import { elementsOf, stringOf } from "../../parts/json-parts.ts";
import type { Buckets, Range } from "../../parts/range.ts";

/** The parameter that names another column of the table, by a JSON Pointer into the event. */
export const COLUMN = "column";

/** An event in the table. */
export type Row = {
  id: string;
  source: string;
  type: string;
  subject: string | undefined;
  receivedAt: string;
  /** The JSON of its other columns, where it has them. */
  columns: readonly (string | undefined)[];
};

const MEMBERS = ["id", "source", "type", "subject", "receivedat"];

/** Events of a page: a first one that is there at once, and larger ones for those who go on. */
const [FIRST_PAGE, NEXT_PAGE] = [100, 500];

/** The query of `GET /events` for the parameters of the screen. */
export function listQuery(params: URLSearchParams, { from, to }: Range, cursor?: string): URLSearchParams {
  const query = new URLSearchParams(conditionsOf(params).map(([name, value]) => [name, value]));
  query.set("from", from);
  if (to !== undefined) query.set("to", to);
  if (params.get("order") === "receivedAt") query.set("order", "receivedAt");
  query.set("limit", String(cursor === undefined ? FIRST_PAGE : NEXT_PAGE));
  query.set("select", [...MEMBERS, ...columnsOf(params)].join(","));
  if (cursor !== undefined) query.set("cursor", cursor);
  return query;
}

/** The body of `POST /events/aggregate` that counts the same events by time. */
export function volumeBody(params: URLSearchParams, { from, to, every }: Buckets): Record<string, unknown> {
  const filter = toFilter(conditionsOf(params));
  return { ...(filter !== undefined && { filter }), from, to, every };
}

/** The columns that the user has added, at most as many as fit. */
export function columnsOf(params: URLSearchParams): string[] {
  return params
    .getAll(COLUMN)
    .filter((each) => each.startsWith("/") && !each.includes(","))
    .slice(0, 4);
}

/** The pointer of a column that shows a member; undefined where `select` cannot name it: within an array, or with a comma. */
export function columnFor(path: readonly string[], throughArrays: readonly boolean[]): string | undefined {
  const pointer = writePointer(path);
  return throughArrays.includes(true) || pointer.includes(",") ? undefined : pointer;
}

/** The events of a page, from its text, so that numbers keep their digits. */
export function rowsOf(page: string, columns: readonly string[]): Row[] {
  return elementsOf(memberText(page, "events") ?? "[]").map((event) => {
    const text = (name: string) => {
      const json = memberText(event, name);
      return json === undefined ? undefined : stringOf(json);
    };
    return {
      id: text("id") ?? "",
      source: text("source") ?? "",
      type: text("type") ?? "",
      subject: text("subject"),
      receivedAt: text("receivedat") ?? "",
      columns: columns.map((column) => valueAt(event, toSteps(column))),
    };
  });
}

function valueAt(json: string, steps: readonly string[]): string | undefined {
  let value: string | undefined = json;
  for (const step of steps) value = value?.startsWith("{") === true ? memberText(value, step) : undefined;
  return value;
}
