import { type Client, type Connection, Query } from "pg";

/** Runs `copy … from stdin` with one text. */
export function copyIn(client: Client, sql: string, text: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const query = new CopyQuery(sql, text);
  query.once("end", () => resolve());
  query.once("error", reject);
  client.query(query);
  return promise;
}

/** A query that sends its text on PostgreSQL's request for data. */
class CopyQuery extends Query {
  readonly #chunk: Buffer;

  constructor(sql: string, text: string) {
    super({ text: sql });
    this.#chunk = Buffer.from(text);
  }

  /** Overrides pg's handler, which refuses COPY. */
  handleCopyInResponse(connection: Connection & { sendCopyFromChunk(chunk: Buffer): void; endCopyFrom(): void }): void {
    connection.sendCopyFromChunk(this.#chunk);
    connection.endCopyFrom();
  }
}
