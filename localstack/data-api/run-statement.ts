import type { Connection, PoolClient, Submittable } from "pg";
import type { BoundStatement } from "./bind-parameters.ts";
import { MAX_RESPONSE_BYTES } from "./limits.ts";

/** The result of a statement, every value as text. */
export type StatementResult = {
  /** Undefined for a statement that returns no rows by its nature. */
  fields: ResultField[] | undefined;
  rows: (string | null)[][];
  /** More data than any response may hold; `rows` is incomplete. */
  oversized: boolean;
  /** The command tag, for example `INSERT 0 3`. */
  tag: string;
};

export type ResultField = { name: string; dataTypeID: number };

/**
 * Runs one statement over the extended protocol with declared parameter types. `pg`'s own query lets PostgreSQL infer the
 * types, and PostgreSQL would then accept a string where a uuid is needed; the Data API does not.
 */
export function runStatement(client: PoolClient, statement: BoundStatement): Promise<StatementResult> {
  return new Promise((resolve, reject) => {
    client.query(new TypedStatement(statement, resolve, reject));
  });
}

/** A `pg` submittable (the interface that pg-cursor implements as well). */
class TypedStatement implements Submittable {
  readonly #statement: BoundStatement;
  readonly #resolve: (result: StatementResult) => void;
  readonly #reject: (error: Error) => void;
  readonly #result: StatementResult = { fields: undefined, rows: [], oversized: false, tag: "" };
  #bytes = 0;

  constructor(statement: BoundStatement, resolve: (result: StatementResult) => void, reject: (error: Error) => void) {
    this.#statement = statement;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  submit(connection: Connection): void {
    const { text, types, values } = this.#statement;
    const wire = connection as unknown as WireConnection;
    wire.stream.cork();
    wire.parse({ text, name: "", types });
    wire.bind({ portal: "", statement: "", values, binary: false });
    wire.describe({ type: "P", name: "" });
    wire.execute({ portal: "", rows: 0 });
    wire.sync();
    wire.stream.uncork();
  }

  handleRowDescription({ fields }: { fields: ResultField[] }): void {
    this.#result.fields = fields;
  }

  handleDataRow({ fields }: { fields: (string | null)[] }): void {
    for (const value of fields) this.#bytes += value === null ? 0 : Buffer.byteLength(value);
    if (this.#bytes > MAX_RESPONSE_BYTES) this.#result.oversized = true;
    else this.#result.rows.push(fields);
  }

  handleCommandComplete({ text }: { text: string }): void {
    this.#result.tag = text;
  }

  handleReadyForQuery(): void {
    this.#resolve(this.#result);
  }

  handleError(error: Error): void {
    this.#reject(error);
  }

  handleCopyInResponse(connection: Connection): void {
    (connection as unknown as WireConnection).sendCopyFail("COPY is not supported");
  }

  handleCopyData(): void {
    // COPY is refused earlier.
  }

  handleEmptyQuery(): void {
    // Blank SQL is refused earlier.
  }

  handlePortalSuspended(): void {
    // Cannot happen: all rows are requested at once.
  }
}

/** The part of pg's wire connection used here; @types/pg describes an older shape of it. */
type WireConnection = {
  stream: { cork(): void; uncork(): void };
  parse(message: { text: string; name: string; types: number[] }): void;
  bind(message: { portal: string; statement: string; values: (string | null)[]; binary: false }): void;
  describe(message: { type: "P"; name: string }): void;
  execute(message: { portal: string; rows: 0 }): void;
  sync(): void;
  sendCopyFail(reason: string): void;
};
