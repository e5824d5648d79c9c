import { badParameter } from "../core/bad-parameter.ts";
import { RequestError } from "../core/errors.ts";
import type { Filter } from "../core/filter/filter.ts";
import { filterFromBody } from "../core/filter/from-body.ts";
import { filterFromParameters } from "../core/filter/from-parameters.ts";
import { toMicroseconds } from "../core/instant.ts";
import { eventQuery } from "../core/list-bodies.ts";
import { LIST_BODY_MAX_BYTES } from "../core/list-limits.ts";
import type { CountMode, Range } from "../core/list-reader.ts";
import { readBody } from "../core/read-body.ts";
import { toSelection } from "../core/selection.ts";
import type { NamedValue } from "../routes/route.ts";
import type { ListRequest, Order } from "./list.ts";

/** A request for a list, without its caller. */
export type Asked = Omit<ListRequest, "principal" | "deadline" | "limit"> & {
  /** @default as its format has it */
  limit: number | undefined;
  /** Paths that `toSelection` takes. @default whole events */
  select: readonly string[] | undefined;
};

type Settings = {
  from?: string | undefined;
  to?: string | undefined;
  timeFrom?: string | undefined;
  timeTo?: string | undefined;
  order?: Order | undefined;
  limit?: number | undefined;
  cursor?: string | undefined;
  count?: CountMode | undefined;
};

/** The parameters of `GET /events` that are parts of the filter, each with its values. */
const ATTRIBUTES = ["type", "source", "subject", "id"] as const;

/** Reads the parameters of `GET /events`. @throws RequestError `bad_parameter`, `bad_filter` */
export function fromParameters(
  query: Settings & { select?: string | undefined; data: readonly NamedValue[] } & Readonly<
      Record<(typeof ATTRIBUTES)[number], readonly string[]>
    >,
): Asked {
  const attributes = ATTRIBUTES.flatMap((name) => query[name].map((value) => [name, value] as const));
  const parameters = [...attributes, ...query.data];
  return toAsked(query, {
    filter: parameters.length === 0 ? undefined : filterFromParameters(parameters),
    select: query.select?.split(","),
    refuse: (name, fault) => {
      throw badParameter(name, fault);
    },
  });
}

/** Reads the body of `POST /events/query`. @throws RequestError `malformed_body` and others of a body, `bad_filter` */
export function fromBody(request: { headers: Record<string, string | undefined>; body: Uint8Array }): Asked {
  const { select, ...settings } = readBody(eventQuery, request, LIST_BODY_MAX_BYTES);
  return toAsked(settings, {
    filter: filterFromBody(request.body),
    select,
    refuse: (name, fault) => {
      throw new RequestError("malformed_body", `The body is not valid: ${name} ${fault}.`);
    },
  });
}

function toAsked(
  { from, to, timeFrom, timeTo, order = "-receivedAt", limit, cursor, count = "none" }: Settings,
  {
    filter,
    select,
    refuse,
  }: {
    filter: Filter | undefined;
    select: readonly string[] | undefined;
    refuse: (name: string, fault: string) => never;
  },
): Asked {
  if (select !== undefined) toSelection(select, (fault) => refuse("select", fault));
  return {
    filter,
    received: toRange(from, to, () => refuse("from", "is not before to")),
    produced: toRange(timeFrom, timeTo, () => refuse("timeFrom", "is not before timeTo")),
    order,
    limit,
    cursor,
    select,
    count,
  };
}

function toRange(from: string | undefined, to: string | undefined, refuse: () => never): Range {
  const range = {
    from: from === undefined ? undefined : toMicroseconds(from),
    to: to === undefined ? undefined : toMicroseconds(to),
  };
  if (range.from !== undefined && range.to !== undefined && range.from >= range.to) refuse();
  return range;
}
