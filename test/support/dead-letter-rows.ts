import { createHash } from "node:crypto";

/** A dead letter in the table; members that are missing have a usual value. */
export type DeadLetterSample = {
  tenant?: string | null;
  type?: string | null;
  source?: string | null;
  eventId?: string | null;
  data?: unknown;
  reason?: string;
  sqlState?: string | null;
  messageGroup?: string;
  state?: string;
  openedAt?: string;
  replays?: number;
  isEvent?: boolean;
  body?: string;
};

export const deadLetterId = (name: string) => `dl_${createHash("md5").update(name).digest("hex")}`;

/** The body of a queue message with the event of a dead letter. */
export const bodyOf = (
  name: string,
  { tenant = "acme", type = "a.b", source = "/s", data = {} }: DeadLetterSample = {},
) =>
  JSON.stringify({
    version: 1,
    tenant,
    receivedAt: "2026-11-21T09:00:00.000Z",
    events: [{ id: name, source, type, time: "2026-11-21T09:00:00.000Z", data }],
  });

/** Writes dead letters by the names of their events, past every function. */
export async function putDeadLetters(
  db: { ask: (sql: string, parameters: unknown[]) => Promise<unknown> },
  names: readonly string[],
  sample: DeadLetterSample = {},
): Promise<string[]> {
  const { tenant = "acme", type = "a.b", source = "/s", data = {}, reason = "not_storable", state = "open" } = sample;
  const {
    sqlState = "22P05",
    messageGroup = "ERROR: ?",
    openedAt = "2026-11-21T09:00:00.000Z",
    isEvent = true,
  } = sample;
  const rows = names.map((name) => ({
    id: deadLetterId(name),
    event_id: sample.eventId === undefined ? name : sample.eventId,
    body: sample.body ?? bodyOf(name, sample),
  }));
  await db.ask(
    `insert into dead_letters (id, message_id, message_index, tenant, type, source, event_id, time, data, received_at, reason,
      sql_state, message, message_group, attempts, replays, state, opened_at, is_event, body)
    select id, id, 0, $2, $3, $4, event_id, '2026-11-21T09:00:00Z', $5, '2026-11-21T09:00:00Z', $6, $7, 'ERROR: 1', $8, 1, $9, $10,
      $11, $12, body
    from json_to_recordset($1) as row (id text, event_id text, body text)`,
    [
      JSON.stringify(rows),
      tenant,
      type,
      source,
      JSON.stringify(data),
      reason,
      sqlState,
      messageGroup,
      sample.replays ?? 0,
      state,
      openedAt,
      isEvent,
    ],
  );
  return rows.map(({ id }) => id);
}
