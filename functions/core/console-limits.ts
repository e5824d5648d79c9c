/** The limits of signing in to the operator's page. */

/** The life of a code: the time to open a link. */
export const CODE_SECONDS = 300;

/** The life of a session: a working day. */
export const SESSION_SECONDS = 28_800;

/** A body with a code; the longest is some sixty bytes. */
export const SIGN_IN_BODY_MAX_BYTES = 1_024;
