import type { Handler, Persistence } from "./fauxqs.ts";

/** A transaction that several calls write into. */
type Group = { committed: Promise<void> };

const groups = new WeakMap<Persistence, Group>();

/**
 * Answers a call once its writes are on disk, with one flush for all calls that arrive together: a flush takes milliseconds in which
 * the process does nothing else, so hundreds of calls a second would be the most.
 */
export function committedTogether(handler: Handler): Handler {
  return async (body, store, request) => {
    if (store.persistence === undefined) return handler(body, store, request);
    const { committed } = groupOf(store.persistence);
    // A call that fails has written nothing, or is answered no sooner for it.
    const answer: unknown = handler(body, store, request);
    await committed;
    return answer;
  };
}

/** Makes the transactions of a call a part of its group's. */
export function nestTransactions(prototype: Persistence): void {
  const { transaction } = prototype;
  prototype.transaction = function (this: Persistence, work): void {
    if (!groups.has(this)) return transaction.call(this, work);
    this.db.exec("SAVEPOINT call");
    try {
      work();
    } catch (error) {
      this.db.exec("ROLLBACK TO call");
      throw error;
    } finally {
      this.db.exec("RELEASE call");
    }
  };
}

/** The group of now; it is committed when the calls that have arrived are done. */
function groupOf(persistence: Persistence): Group {
  const known = groups.get(persistence);
  if (known !== undefined) return known;
  persistence.db.exec("BEGIN");
  const { promise: committed, resolve, reject } = Promise.withResolvers<void>();
  // A group may have calls alone that have failed.
  committed.catch(() => undefined);
  setImmediate(() => {
    groups.delete(persistence);
    try {
      persistence.db.exec("COMMIT");
      resolve();
    } catch (error) {
      reject(error);
    }
  });
  groups.set(persistence, { committed });
  return { committed };
}
