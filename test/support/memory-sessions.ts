import { AccessError } from "../../functions/core/access.ts";
import type { CodeRecord, SessionReader, SessionRecord, SessionStore } from "../../functions/core/session.ts";

/** Codes and sessions in memory, with the contract of the real store. */
export function memorySessions(): { store: SessionStore; reader: SessionReader; outage: () => void } {
  const codes = new Map<string, CodeRecord>();
  const sessions = new Map<string, SessionRecord>();
  let isDown = false;
  const guard =
    <Arguments extends unknown[], Result>(call: (...values: Arguments) => Result) =>
    async (...values: Arguments): Promise<Result> => {
      if (isDown) throw new AccessError("down");
      return call(...values);
    };
  return {
    store: {
      createCode: guard((hash, record) => void codes.set(hash, structuredClone(record))),
      takeCode: guard((hash) => {
        const found = codes.get(hash);
        codes.delete(hash);
        return found;
      }),
      createSession: guard((hash, record) => void sessions.set(hash, structuredClone(record))),
      endSession: guard((hash) => void sessions.delete(hash)),
    },
    reader: { session: guard((hash) => structuredClone(sessions.get(hash))) },
    outage: () => {
      isDown = true;
    },
  };
}
