import { memberText } from "../../../functions/core/json-spans.ts";
import { call } from "../../api/client.ts";
import { elementsOf, stringOf } from "../../parts/json-parts.ts";
import { bucketsOf, type Range } from "../../parts/range.ts";
import { type Declared, fieldsDeclared } from "./fields-declared.ts";
import { fieldsSeen, type Seen } from "./fields-seen.ts";
import { loadCatalog } from "./load-types.ts";

/** Events that the fields are taken from: enough to meet rare ones, and one request. */
const SAMPLE_EVENTS = 200;

/** The events of one version, and its schema where the catalog has it. */
export type Version = {
  /** Empty for events without `dataschema`, which mean the oldest version. */
  dataschema: string;
  events: number;
  seen: Seen;
  declared: Declared | undefined;
};

export type Sample = {
  /** Events in the sample, of all versions. */
  events: number;
  lastAt: string | undefined;
  versions: readonly Version[];
  /** Versions of the catalog of which the sample has no event. */
  unused: readonly string[];
};

/** Counts the events of a type by source, most first. */
export async function loadSources(type: string, range: Range, signal: AbortSignal) {
  const { from, to } = bucketsOf(range);
  const body = { filter: { exact: { type } }, from, to, groupBy: ["source"] };
  const answer = await call<{ rows: { source: string; count: string }[] }>("POST", "events/aggregate", {
    body,
    signal,
  });
  return answer.body.rows
    .map(({ source, count }) => ({ source, events: Number(count) }))
    .toSorted((a, b) => b.events - a.events);
}

/** Reads the latest events of a type, and the schemas of their versions. */
export async function loadSample(type: string, signal: AbortSignal): Promise<Sample> {
  const select = "dataschema,receivedat,data";
  const body = { filter: { exact: { type } }, limit: SAMPLE_EVENTS, select: select.split(",") };
  const { text } = await call("POST", "events/query", { body, signal });
  const events = elementsOf(memberText(text, "events") ?? "[]");
  const catalog = await loadCatalog(signal);
  const known =
    catalog.types.find((each) => each.type === type)?.versions.map(({ dataschema }) => dataschema ?? "") ?? [];
  const groups = Map.groupBy(events, (event) => textOf(event, "dataschema") ?? "");
  const versions: Version[] = [];
  for (const [dataschema, members] of groups) {
    const isKnown = dataschema === "" ? known.length > 0 : known.includes(dataschema);
    versions.push({
      dataschema,
      events: members.length,
      seen: fieldsSeen(members.flatMap((event) => memberText(event, "data") ?? [])),
      declared: isKnown ? await loadSchema(type, dataschema, signal) : undefined,
    });
  }
  return {
    events: events.length,
    lastAt: events[0] === undefined ? undefined : textOf(events[0], "receivedat"),
    versions: versions.toSorted((a, b) => b.events - a.events),
    unused: known.filter((dataschema) => !groups.has(dataschema) && dataschema !== ""),
  };
}

async function loadSchema(type: string, dataschema: string, signal: AbortSignal): Promise<Declared> {
  const answer = await call<object>("GET", `schemas/${encodeURIComponent(type)}`, {
    query: { dataschema: dataschema === "" ? undefined : dataschema },
    signal,
    record: false,
  });
  return fieldsDeclared(answer.body);
}

function textOf(event: string, name: string): string | undefined {
  const json = memberText(event, name);
  return json?.startsWith('"') === true ? stringOf(json) : undefined;
}
