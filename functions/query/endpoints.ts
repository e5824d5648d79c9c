import type { Handlers, NamedValue } from "../routes/route.ts";
import type { createFeed } from "./feed.ts";
import { ANSWER_RESERVE_MS } from "../core/function-limits.ts";
import { FEED_DEFAULT_EVENTS } from "../core/feed-limits.ts";
import { filterFromParameters } from "../core/filter/from-parameters.ts";
import type { queryRoutes } from "../routes/query.ts";
import type { createAggregate } from "./aggregate.ts";
import { readAggregateRequest } from "./aggregate-request.ts";
import type { createAnswerIfChanged } from "./answer-if-changed.ts";
import type { createAnswerList } from "./answer-list.ts";
import { fromDeadLetterBody, fromDeadLetterParameters } from "./dead-letter-request.ts";
import type { createDeadLetters } from "./dead-letters.ts";
import { fromBody, fromParameters } from "./list-request.ts";
import type { createQuery } from "./query.ts";
import type { createShedQueries } from "./shed-queries.ts";

/** Answers the routes of query. */
export function createQueryEndpoints({
  query,
  answerList,
  answerIfChanged,
  feed,
  aggregate,
  deadLetters,
  shedQueries,
}: {
  query: ReturnType<typeof createQuery>;
  answerList: ReturnType<typeof createAnswerList>;
  answerIfChanged: ReturnType<typeof createAnswerIfChanged>;
  feed: ReturnType<typeof createFeed>;
  aggregate: ReturnType<typeof createAggregate>;
  deadLetters: ReturnType<typeof createDeadLetters>;
  shedQueries: ReturnType<typeof createShedQueries>;
}): Handlers<typeof queryRoutes> {
  return {
    listEvents: async ({ principal, query: parameters, headers, deadline }) => {
      const asked = fromParameters(parameters);
      await shedQueries();
      const linkTo = (cursor: string) => toQuery({ ...parameters, cursor });
      return answerIfChanged({ ...asked, principal, headers, linkTo, deadline: deadline - ANSWER_RESERVE_MS });
    },

    queryEvents: async ({ principal, deadline, ...request }) => {
      const asked = fromBody(request);
      await shedQueries();
      return answerList({ ...asked, principal, headers: request.headers, deadline: deadline - ANSWER_RESERVE_MS });
    },

    readEvent: async ({ principal, parameters, query: { source }, deadline }) => {
      const body = await query({
        principal,
        id: parameters.id,
        source,
        deadline: deadline - ANSWER_RESERVE_MS,
      });
      return { status: 200, body };
    },

    aggregateEvents: async ({ principal, deadline, ...request }) => {
      const asked = readAggregateRequest(request, new Date());
      await shedQueries();
      return { status: 200, body: await aggregate({ ...asked, principal, deadline: deadline - ANSWER_RESERVE_MS }) };
    },

    readFeed: async ({ principal, query: { after, limit = FEED_DEFAULT_EVENTS, wait = 0, ...filter }, deadline }) => {
      await shedQueries();
      const { events, next, lagMs } = await feed({
        principal,
        after,
        filter: filterFromParameters(namedValues(filter)),
        limit,
        waitMs: 1_000 * wait,
        deadline: deadline - ANSWER_RESERVE_MS,
      });
      const lagSeconds = Math.round(lagMs / 1_000);
      return {
        status: 200,
        // The events are text that is never parsed.
        body: `{"events":${events},"next":${JSON.stringify(next)},"lagMs":${lagMs}}`,
        ...(lagSeconds > 0 && { metrics: { HorizonAgeSeconds: lagSeconds } }),
      };
    },

    // Of dead letters nothing is shed: who reads them repairs what makes the consumer lag.
    listDeadLetters: async ({ principal, query: parameters, deadline }) =>
      deadLetters.list({ principal, ...fromDeadLetterParameters(parameters), deadline: deadline - ANSWER_RESERVE_MS }),

    queryDeadLetters: async ({ principal, deadline, ...request }) =>
      deadLetters.list({ principal, ...fromDeadLetterBody(request), deadline: deadline - ANSWER_RESERVE_MS }),

    groupDeadLetters: async ({ principal, query: parameters, deadline }) =>
      deadLetters.groups({
        principal,
        ...fromDeadLetterParameters(parameters),
        deadline: deadline - ANSWER_RESERVE_MS,
      }),

    readDeadLetter: async ({ principal, parameters: { id }, deadline }) =>
      deadLetters.read({ principal, id, deadline: deadline - ANSWER_RESERVE_MS }),

    // It does not ask the database, which would wake from its pause.
    health: async () => ({ status: 200, body: JSON.stringify({ status: "ok" }) }),
  };
}

/** The parameters of a filter, each value with its name. */
function namedValues({
  data,
  ...attributes
}: { data: readonly NamedValue[] } & Readonly<Record<string, readonly (string | NamedValue)[]>>): NamedValue[] {
  const named = Object.entries(attributes).flatMap(([name, values]) =>
    values.map((value): NamedValue => [name, String(value)]),
  );
  return [...named, ...data];
}

type Values = Readonly<Record<string, string | number | readonly (string | NamedValue)[] | undefined>>;

/** The query of a URL with these parameters, relative to the URL of the request. */
function toQuery(parameters: Values): string {
  const query = new URLSearchParams();
  for (const [name, values] of Object.entries(parameters)) {
    if (values === undefined) continue;
    for (const value of typeof values === "object" ? values : [String(values)]) {
      if (typeof value === "string") query.append(name, value);
      else query.append(...value);
    }
  }
  return `?${query.toString()}`;
}
