import type { Handler, Persistence } from "./fauxqs.ts";

/** The commits that are under way. */
const commits = new WeakMap<Persistence, { done: Promise<void>; now: () => void }>();

/**
 * Makes one commit, and so one disk flush, of the transactions of all requests that wait at the same time. A flush takes milliseconds, in
 * which this process does nothing else. Each transaction stays all or nothing by itself.
 */
export function commitTogether({ prototype }: { prototype: Persistence }): void {
  const { close } = prototype;
  prototype.transaction = function (this: Persistence, work: () => void): void {
    if (!commits.has(this)) begin(this);
    this.db.exec("SAVEPOINT request");
    try {
      work();
      this.db.exec("RELEASE request");
    } catch (error) {
      undo(this, "ROLLBACK TO request", "RELEASE request");
      throw error;
    }
  };
  prototype.close = function (this: Persistence): void {
    commits.get(this)?.now();
    close.call(this);
  };
}

/** Answers a request when what it has written is on disk. No handler writes and then waits for something else. */
export function onceCommitted(handler: Handler): Handler {
  return async (body, store, request) => {
    const answer = await handler(body, store, request);
    if (store.persistence !== undefined) await commits.get(store.persistence)?.done;
    return answer;
  };
}

/** After some errors, a full disk for one, SQLite has rolled back the whole transaction by itself: https://www.sqlite.org/lang_transaction.html */
function undo({ db }: Persistence, ...statements: string[]): void {
  try {
    for (const statement of statements) db.exec(statement);
  } catch {
    // There is nothing left to undo.
  }
}

/** The commit follows when all requests are handled that have arrived. */
function begin(persistence: Persistence): void {
  const { promise: done, resolve, reject } = Promise.withResolvers<void>();
  // Nobody waits for the commit of a move task.
  done.catch(() => undefined);
  persistence.db.exec("BEGIN");
  const commit = () => {
    if (!commits.delete(persistence)) return;
    try {
      persistence.db.exec("COMMIT");
      resolve();
    } catch (error) {
      reject(new Error("The messages could not be written to disk.", { cause: error }));
      undo(persistence, "ROLLBACK");
    }
  };
  commits.set(persistence, { done, now: commit });
  setImmediate(commit);
}
