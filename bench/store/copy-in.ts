import { type Client, type Connection, Query } from "pg";

/** `copy … from stdin` of a text in one go. */
export function copyIn(client: Client, sql: string, text: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const query = new CopyQuery(sql, text);
  query.once("end", () => resolve());
  query.once("error", reject);
  client.query(query);
  return promise;
}

/** Sends its text when PostgreSQL asks for it. */
class CopyQuery extends Query {
  readonly #chunk: Buffer;

  constructor(sql: string, text: string) {
    super({ text: sql });
    this.#chunk = Buffer.from(text);
  }

  /** Called by pg, which has no COPY of its own and would refuse. */
  handleCopyInResponse(connection: Connection & { sendCopyFromChunk(chunk: Buffer): void; endCopyFrom(): void }): void {
    connection.sendCopyFromChunk(this.#chunk);
    connection.endCopyFrom();
  }
}
