import type { Range } from "./list-reader.ts";

/** The port of ranges of time to the database. */
export type WindowReader = {
  /** Reads the state of a tenant's events in a range, without reading one. @throws DatabaseError */
  read(
    window: { tenant: string; received: Range },
    deadline: number,
  ): Promise<{
    /** Another one after each event that is stored in the range, or is no longer retained. */
    version: string;
    /** The time for which the oldest open transaction has been open; 0 where none is. */
    horizonAgeMs: number;
  }>;
};
