import type { DeadLetterScope, DeadLetterSelection, NewDeadLetter } from "../../functions/core/dead-letter-table.ts";
import { writeEnvelope } from "../../functions/core/envelope.ts";
import type { Event } from "../../functions/core/event.ts";
import { messageGroup } from "../../functions/core/message-group.ts";

const RECEIVED_AT = "2026-11-21T09:30:00.000Z";

/** A dead letter of an event; changes of the event are in its columns and its body. */
export function newDeadLetter({
  event: eventChanges = {},
  ...changes
}: Partial<NewDeadLetter> & { event?: Partial<Event> } = {}): NewDeadLetter {
  const event: Event = {
    id: "1",
    source: "/shop",
    type: "com.example.order",
    time: "2026-11-21T09:29:59Z",
    data: { total: 7 },
    ...eventChanges,
  };
  const { tenant = "default", message = "ERROR: no", origin } = changes;
  const { subject, time, dataschema, datacontenttype } = event;
  return {
    messageId: `message of ${event.id}`,
    messageIndex: 0,
    deadLetterId: undefined,
    tenant,
    type: event.type,
    source: event.source,
    eventId: event.id,
    receivedAt: RECEIVED_AT,
    origin,
    searched: { subject, time, dataschema, datacontenttype },
    reason: "not_storable",
    sqlState: "22P05",
    message,
    messageGroup: messageGroup(message),
    attempts: 1,
    replays: 0,
    isEvent: true,
    body: writeEnvelope({ tenant, receivedAt: RECEIVED_AT, ...origin }, event),
    ...changes,
  };
}

/** A whole message that cannot be read, and names no tenant. */
export function wholeMessage(body: string, changes: Partial<NewDeadLetter> = {}): NewDeadLetter {
  const nothing = {
    tenant: undefined,
    type: undefined,
    source: undefined,
    eventId: undefined,
    receivedAt: undefined,
    origin: undefined,
  };
  const facts = { messageId: `message of ${body}`, reason: "unreadable_message", sqlState: undefined };
  return { ...newDeadLetter(), ...nothing, ...facts, searched: undefined, isEvent: false, body, ...changes };
}

export const scopeOf = (tenant: string, allowed: Partial<DeadLetterScope["allowed"]> = {}): DeadLetterScope => ({
  tenant,
  allowed: { types: undefined, sources: undefined, ...allowed },
});

/** All dead letters, but for the given conditions. */
export const selecting = (conditions: Partial<DeadLetterSelection> = {}): DeadLetterSelection => ({
  filter: undefined,
  ids: undefined,
  reasons: undefined,
  sqlStates: undefined,
  messageGroups: undefined,
  states: undefined,
  opened: { from: undefined, to: undefined },
  ...conditions,
});
