import { conditionsOf, toFilter } from "../../parts/filter-params.ts";
import type { ReplayPlan } from "../../types.ts";

/** Conditions of dead letters beside those of their events, as the page's address and `GET /dead-letters` have them. */
const CAUSES = ["reason", "sqlState", "message"] as const;
const TIMES = ["openedFrom", "openedTo"] as const;

/** The query of a list or of groups, from the parameters of the page's address. */
export function toQuery(params: URLSearchParams): URLSearchParams {
  const own = [...CAUSES, ...TIMES, "state"].flatMap((name) =>
    params.getAll(name).map((value): [string, string] => [name, value]),
  );
  return new URLSearchParams([...conditionsOf(params).map(([name, value]): [string, string] => [name, value]), ...own]);
}

/** Members of a body of `POST /replays` or `POST /dead-letters/discard` that choose dead letters. */
export type Chosen = {
  filter?: unknown;
  ids?: readonly string[];
  reason?: readonly string[];
  sqlState?: readonly string[];
  message?: readonly string[];
  openedFrom?: string;
  openedTo?: string;
};

/** The same dead letters as the list of the page's address has, as far as they are open. */
export function toChosen(params: URLSearchParams): Chosen {
  const chosen: Chosen = {};
  const filter = toFilter(conditionsOf(params));
  if (filter !== undefined) chosen.filter = filter;
  for (const name of CAUSES) if (params.has(name)) chosen[name] = params.getAll(name);
  for (const name of TIMES) {
    const value = params.get(name);
    if (value !== null) chosen[name] = value;
  }
  return chosen;
}

export type Options = {
  rate?: number | undefined;
  edits?: readonly { id: string; event: unknown }[] | undefined;
  maxReplays?: number | undefined;
  note?: string | undefined;
};

/** The body that says how many dead letters a job would take. */
export const planBody = (chosen: Chosen, options: Options) => ({ ...chosen, ...options, dryRun: true });

/**
 * The body that starts what was planned: not one dead letter that the plan has not counted. Where more match by now, the API
 * refuses it.
 */
export const startBody = (
  chosen: Chosen,
  options: Options,
  { planned, until }: Pick<ReplayPlan, "planned" | "until">,
) => ({
  ...chosen,
  ...options,
  openedTo: until,
  planned,
});
