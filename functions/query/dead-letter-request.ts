import { deadLetterQuery, listOf } from "../core/dead-letter-bodies.ts";
import { DEAD_LETTER_BODY_MAX_BYTES, DEAD_LETTER_VALUES_MAX } from "../core/dead-letter-limits.ts";
import type { DeadLetterSelection, DeadLetterState } from "../core/dead-letter-table.ts";
import { RequestError } from "../core/errors.ts";
import type { Filter } from "../core/filter/filter.ts";
import { filterFromBody } from "../core/filter/from-body.ts";
import { filterFromParameters } from "../core/filter/from-parameters.ts";
import { toMicroseconds } from "../core/instant.ts";
import { readBody } from "../core/read-body.ts";
import type { NamedValue } from "../routes/route.ts";

/** A request for dead letters, without its caller. */
export type AskedDeadLetters = {
  selection: DeadLetterSelection;
  /** @default DEAD_LETTERS_DEFAULT */
  limit: number | undefined;
  cursor: string | undefined;
};

/** The parameters that are parts of the filter. */
const ATTRIBUTES = ["type", "source", "subject", "id"] as const;

type Lists = Readonly<
  Record<(typeof ATTRIBUTES)[number] | "deadLetter" | "reason" | "sqlState" | "message", readonly string[]>
>;

/** Reads the parameters of `GET /dead-letters` and `/groups`. @throws RequestError `bad_parameter`, `bad_filter` */
export function fromDeadLetterParameters(
  query: Lists & {
    state: readonly DeadLetterState[];
    data: readonly NamedValue[];
    openedFrom?: string | undefined;
    openedTo?: string | undefined;
    limit?: number | undefined;
    cursor?: string | undefined;
  },
): AskedDeadLetters {
  const refuse = (fault: string): never => {
    throw new RequestError("bad_parameter", `${fault}.`);
  };
  const bounded = <T>(name: string, values: readonly T[]): readonly T[] | undefined => {
    if (values.length > DEAD_LETTER_VALUES_MAX)
      refuse(`${name} is sent ${values.length} times; the limit is ${DEAD_LETTER_VALUES_MAX}`);
    return values.length === 0 ? undefined : values;
  };
  const attributes = ATTRIBUTES.flatMap((name) => query[name].map((value) => [name, value] as const));
  const selection = toSelection(
    {
      ids: bounded("deadLetter", query.deadLetter),
      reasons: bounded("reason", query.reason),
      sqlStates: bounded("sqlState", query.sqlState),
      messages: bounded("message", query.message),
      states: bounded("state", query.state),
      openedFrom: query.openedFrom,
      openedTo: query.openedTo,
    },
    filterFromParameters([...attributes, ...query.data]),
    refuse,
  );
  return { selection, limit: query.limit, cursor: query.cursor };
}

/** Reads the body of `POST /dead-letters/query`. @throws RequestError `malformed_body` and others of a body, `bad_filter` */
export function fromDeadLetterBody(request: {
  headers: Record<string, string | undefined>;
  body: Uint8Array;
}): AskedDeadLetters {
  const { limit, cursor, ...asked } = readBody(deadLetterQuery, request, DEAD_LETTER_BODY_MAX_BYTES);
  const { ids, reason, sqlState, message, state, openedFrom, openedTo } = asked;
  const lists = {
    ids,
    reasons: listOf(reason),
    sqlStates: listOf(sqlState),
    messages: listOf(message),
    states: listOf(state),
  };
  const selection = toSelection({ ...lists, openedFrom, openedTo }, filterFromBody(request.body), (fault) => {
    throw new RequestError("malformed_body", `The body is not valid: ${fault}.`);
  });
  return { selection, limit, cursor };
}

function toSelection(
  asked: {
    ids?: readonly string[] | undefined;
    reasons?: readonly string[] | undefined;
    sqlStates?: readonly string[] | undefined;
    messages?: readonly string[] | undefined;
    states?: readonly DeadLetterState[] | undefined;
    openedFrom?: string | undefined;
    openedTo?: string | undefined;
  },
  filter: Filter | undefined,
  refuse: (fault: string) => never,
): DeadLetterSelection {
  const opened = { from: toInstant(asked.openedFrom), to: toInstant(asked.openedTo) };
  if (opened.from !== undefined && opened.to !== undefined && opened.from >= opened.to)
    refuse("openedFrom is not before openedTo");
  return {
    filter,
    ids: asked.ids,
    reasons: asked.reasons,
    sqlStates: asked.sqlStates,
    messageGroups: asked.messages,
    states: asked.states ?? ["open"],
    opened,
  };
}

const toInstant = (text: string | undefined) => (text === undefined ? undefined : toMicroseconds(text));
