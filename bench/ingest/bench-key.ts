import { hashKey, makeKey } from "../../functions/core/key.ts";

/** The key of the measured requests, the same in the load and in the stubs. */
export const { id: KEY_ID, text: KEY } = makeKey((count) => new Uint8Array(count).fill(7));

export const KEY_SECRET = "of the benchmark";

export const KEY_HASH = hashKey(Buffer.from(KEY_SECRET), KEY);
