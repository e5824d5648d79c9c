import { type DeadLetterEvent, type DeadLetterFacts, type DeadLetterMessage, factsOf } from "./dead-letter-message.ts";

/** One event of a dead-letter message without its data, as lists show it. */
export type DeadLetterRow = Pick<DeadLetterEvent, "id" | "type" | "source"> & DeadLetterFacts;

export function toRow(message: DeadLetterMessage, { id, type, source }: DeadLetterEvent): DeadLetterRow {
  return { id, type, source, ...factsOf(message) };
}

/** The reason with its SQLSTATE, for example `not_storable 22P05`. */
export function reasonOf({ reason, sqlState }: Pick<DeadLetterFacts, "reason" | "sqlState">): string {
  return sqlState === undefined ? reason : `${reason} ${sqlState}`;
}
