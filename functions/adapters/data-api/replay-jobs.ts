import type { DeadLetterRow, DeadLetterScope } from "../../core/dead-letter-table.ts";
import type { SqlDatabase } from "../../core/ports.ts";
import type { EditableDeadLetter, ReplayJob, ReplayJobs } from "../../core/replay-job.ts";
import { REPLAY_SAMPLE } from "../../core/replay-limits.ts";
import { createJobReader } from "./job-reader.ts";
import { deadLetterCondition } from "./dead-letter-condition.ts";
import { toReplayJob } from "./replay-record.ts";
import { textArray, toTextArray } from "./text-array.ts";

/** Jobs of dead letters in PostgreSQL; the functions are documented in functions/sql/0008_replays.sql. */
export function createReplayJobs(database: Pick<SqlDatabase, "execute">): ReplayJobs {
  const { read: readJob } = createJobReader(database, "replay", toReplayJob);

  return {
    async plan(scope, request, deadline) {
      const { filter, ...selection } = request;
      const parameters = { ...toScope(scope), ...deadLetterCondition(filter), selection: JSON.stringify(selection) };
      const { rows } = await database.execute(PLAN, parameters, deadline);
      const [[planned, , until] = [], ...sample] = rows;
      return {
        planned: Math.min(Number(planned), request.limit ?? Number.POSITIVE_INFINITY),
        until: String(until),
        sample: sample.map(([, line]) => JSON.parse(String(line)) as DeadLetterRow),
      };
    },

    async findEditable(scope, ids, deadline) {
      const { rows } = await database.execute(FIND_EDITABLE, { ...toScope(scope), ids: toTextArray(ids) }, deadline);
      return rows.map(([line]) => toEditable(JSON.parse(String(line)) as Nullable<EditableDeadLetter>));
    },

    async start({ id, action, tenant, request, keyId, allowed, planned, edits }, deadline) {
      const parameters = {
        ...toScope({ tenant, allowed }),
        id,
        action,
        request: JSON.stringify(request),
        key: keyId,
        planned: String(planned),
        edits: JSON.stringify(edits.map((edit) => [edit.id, edit.body])),
      };
      const job = await readJob(START, parameters, deadline);
      if (job === undefined) throw new TypeError("start_replay returned no job.");
      return job;
    },

    read: (tenant, id, deadline) => readJob("read_replay(:tenant, :id)", { tenant, id }, deadline),

    async list(tenant, { after = null, limit }, deadline) {
      const { rows } = await database.execute(LIST, { tenant, after, most: String(limit + 1) }, deadline);
      const jobs = rows.map(([job]): ReplayJob => toReplayJob(String(job)));
      const items = jobs.slice(0, limit);
      return { items, next: jobs.length > limit ? items.at(-1)?.id : undefined };
    },

    async countUnfinished(tenant, deadline) {
      const { rows } = await database.execute("select count_unfinished_replays(:tenant)", { tenant }, deadline);
      return Number(rows[0]?.[0]);
    },

    cancel: (tenant, id, deadline) => readJob("cancel_replay(:tenant, :id)", { tenant, id }, deadline),
  };
}

const SCOPE = `${textArray(":types")}, ${textArray(":sources")}`;
const PLAN = `select planned, dead_letter, until from plan_replay(
    :tenant, ${SCOPE}, cast(:selection as jsonb), :condition, ${textArray(":condition_texts")}, ${REPLAY_SAMPLE}
  )`;
const FIND_EDITABLE = `select dead_letter from find_editable(:tenant, ${SCOPE}, ${textArray(":ids")})`;
const START = `start_replay(:id, :action, :tenant, :request, :key, ${SCOPE}, cast(:planned as integer), cast(:edits as jsonb))`;
const LIST = "select job from list_replays(:tenant, :after, cast(:most as integer))";

function toScope({ tenant, allowed }: DeadLetterScope) {
  return { tenant, types: toTextArray(allowed.types), sources: toTextArray(allowed.sources) };
}

type Nullable<T> = { [Name in keyof T]: T[Name] | null };

function toEditable({ id, isEvent, ...sent }: Nullable<EditableDeadLetter>): EditableDeadLetter {
  const { tenant, source, eventId, receivedAt, origin, traceparent, eventTraceparent } = sent;
  return {
    id: String(id),
    tenant: tenant ?? undefined,
    source: source ?? undefined,
    eventId: eventId ?? undefined,
    receivedAt: receivedAt ?? undefined,
    origin: origin ?? undefined,
    traceparent: traceparent ?? undefined,
    eventTraceparent: eventTraceparent ?? undefined,
    isEvent: isEvent === true,
  };
}
