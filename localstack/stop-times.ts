/** The time for work in flight after Ctrl-C, for all parts together. */
export const STOP_WORK_MS = 3_000;

/** The time for a part to end after that; then it is left to the end of this process. */
export const STOP_PART_MS = 700;

/** The time for a clean stop of the database once all else has ended. It needs a tenth of it. */
export const STOP_DATABASE_MS = 2_000;

/** The same once `STOP_WORK_MS` is over: a database that takes longer is stopped as by a crash, which loses nothing. */
export const STOP_DATABASE_LATE_MS = 400;
