/** How long work in flight may go on after Ctrl-C, for all parts together. */
export const STOP_WORK_MS = 3_000;

/** How long a part may take to end after that; then it is left to the end of this process. */
export const STOP_PART_MS = 700;

/** How long a clean stop of the database may take once all else has ended. It needs a tenth of it. */
export const STOP_DATABASE_MS = 2_000;

/** The same once `STOP_WORK_MS` is over: a database that takes longer is stopped as by a crash, which loses nothing. */
export const STOP_DATABASE_LATE_MS = 400;
