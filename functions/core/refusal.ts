import { createHash } from "node:crypto";
import type { RefusalCause, RefusalSample, StoredRefusals } from "./refusal-schema.ts";

export type {
  RefusalCause,
  RefusalCount,
  RefusalGroup,
  RefusalSample,
  RefusalsMessage,
  StoredRefusals,
} from "./refusal-schema.ts";

/**
 * A refusal is an event, or a whole request, that ingest did not accept because of what it is. Refusals of one cause are a group; a
 * group of a tenant and day is counted, with the latest samples. No sample has a value of an event's data.
 */

/** The groups of tenants and days. All calls throw AccessError. */
export type RefusalStore = {
  /**
   * Makes room for groups of a day, by their ids, as long as there is some. Returns those that have it, also from earlier calls. The
   * installation (`*`) has the names of tenants in place of ids.
   */
  admit(tenant: string, day: string, ids: readonly string[]): Promise<ReadonlySet<string>>;
  /** The ids that have room on a day. */
  readAdmitted(tenant: string, day: string): Promise<readonly string[]>;
  /** Changes one group; no other change of it comes between reading and writing. Without a result nothing is written. */
  change(
    place: { tenant: string; day: string; id: string },
    change: (stored: StoredRefusals | undefined) => StoredRefusals | undefined,
  ): Promise<void>;
  /** The groups of a day, in no order. */
  readDay(tenant: string, day: string): Promise<StoredRefusals[]>;
};

/** The samples of a tenant for an erasure. All calls throw AccessError. */
export type RefusalSamples = {
  /** Some groups of the tenant behind one, of all days. */
  page(
    tenant: string,
    after: string | undefined,
  ): Promise<{ groups: { group: string; samples: RefusalSample[] }[]; next: string | undefined }>;
  /** Removes the samples of a group that are not kept; returns their number. The counts stay. */
  keep(tenant: string, group: string, isKept: (sample: RefusalSample) => boolean): Promise<number>;
};

/** The cause of refusals that have no group of their own, because there are too many groups. */
export const OTHERS: RefusalCause = { code: "others", pointer: "" };

/** The id of a group within its tenant and day. */
export function refusalGroupId({ code, type, pointer }: RefusalCause): string {
  if (code === OTHERS.code) return OTHERS.code;
  const text = JSON.stringify([code, type ?? null, pointer]);
  return createHash("sha256").update(text, "utf8").digest("base64url").slice(0, ID_CHARACTERS);
}

/** 96 bits. */
const ID_CHARACTERS = 16;
