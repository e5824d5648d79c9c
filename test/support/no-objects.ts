import type { ErasedObjects } from "../../functions/core/erasure-objects.ts";

/** The objects of a stage that has none. */
export const noObjects: ErasedObjects = {
  plan: async () => ({ exports: 0, archive: 0, refusals: 0 }),
  erase: async () => ({ counts: { exports: 0, archive: 0, refusals: 0 }, cursor: undefined }),
};
