/**
 * The objects outside of the database that may hold events: files of exports, parts of the archive, samples of refusals. An
 * erasure goes through them page by page.
 */

/** The places, in the order in which an erasure goes through them. */
export const ERASURE_OBJECT_PLACES = ["exports", "archive", "refusals"] as const;

export type ErasureObjectPlace = (typeof ERASURE_OBJECT_PLACES)[number];

/** An event as an object has it. `json` is its text as CloudEvents JSON, where the object has the whole event. */
export type ErasureCandidate = { source: string; id: string; json?: string | undefined };

/** The events of an erasure, as objects are searched for them. */
export type ErasureScope = {
  erasureId: string;
  tenant: string;
  /** The request names its events by their ids. */
  isListed?: boolean;
};

/**
 * Tells which of some events are erased, in their order. It notes them first, so a resend, a restore or a replay of one brings nothing
 * back, and the receipt counts each once a place. At most ERASURE_MATCH_MAX_EVENTS at once.
 * @throws DatabaseError; OnHoldError where a legal hold has one of them
 */
export type ErasureMatch = (
  place: ErasureObjectPlace,
  events: readonly ErasureCandidate[],
  deadline: number,
) => Promise<boolean[]>;

/** A legal hold has an event of the erasure. */
export class OnHoldError extends Error {
  override readonly name = "OnHoldError";
  readonly holdId: string;

  constructor(holdId: string) {
    super(`The hold ${holdId} has an event of the erasure.`);
    this.holdId = holdId;
  }
}

/** Objects of each place: those that are to be looked at in a plan, those that were rewritten or deleted in a page. */
export type ErasureObjectCounts = Record<ErasureObjectPlace, number>;

export type ErasedObjects = {
  /** Counts the objects that may hold an event of the erasure. @throws FilesError; AccessError */
  plan(scope: ErasureScope, deadline: number): Promise<ErasureObjectCounts>;

  /**
   * Takes the erased events out of some objects: rewrites an object without them, or deletes it. A call may be repeated with the
   * same cursor, after it was killed at any point: then what is done already is found done. A restore and a read of the archive
   * work at every moment, before, within and behind it.
   * @param page `cursor` of the page before, undefined for the first. No object is begun behind `stopAt`; calls end at `deadline`
   * (both ms since the epoch)
   * @returns the objects of the page, and the cursor of the next one; undefined behind the last object
   * @throws FilesError, AccessError, DatabaseError: the page may be repeated; OnHoldError, ArchiveError: the erasure ends
   */
  erase(
    scope: ErasureScope,
    isErased: ErasureMatch,
    page: { cursor: string | undefined; stopAt: number; deadline: number },
  ): Promise<{ counts: ErasureObjectCounts; cursor: string | undefined }>;
};

/** Events of one call of ErasureMatch. */
export const ERASURE_MATCH_MAX_EVENTS = 2_000;
