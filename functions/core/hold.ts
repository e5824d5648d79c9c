/** A legal hold: its record, and the port to where holds are kept (functions/sql/0014_holds.sql). */

export const HOLD_ID = /^hld_[0-9a-f]{32}$/;
export const HOLD_ID_ERROR = "is no id of a hold: hld_ and 32 characters of 0-9 and a-f";

/** `ended`: its `until` is over. */
export const HOLD_STATES = ["active", "released", "ended"] as const;

type HoldState = (typeof HOLD_STATES)[number];

export type HoldRecord = {
  id: string;
  tenant: string;
  state: HoldState;
  /** The JSON text of the filter, so that its numbers keep their digits; undefined for every event of the tenant. */
  filter: string | undefined;
  reason: string;
  until: string | undefined;
  /** The id of the key that made it. */
  createdBy: string;
  createdAt: string;
  releasedAt: string | undefined;
  releasedBy: string | undefined;
  releaseReason: string | undefined;
};

export type NewHoldRecord = Pick<HoldRecord, "id" | "tenant" | "filter" | "reason" | "until" | "createdBy">;

/** Every call may throw a DatabaseError. */
export type Holds = {
  /** Writes a hold. Done again with the same id, it changes nothing. Undefined where the tenant has as many as it may have. */
  make(hold: NewHoldRecord, deadline: number): Promise<HoldRecord | undefined>;
  read(tenant: string, id: string, deadline: number): Promise<HoldRecord | undefined>;
  /** The holds, latest first. */
  list(
    tenant: string,
    page: { after: string | undefined; limit: number },
    deadline: number,
  ): Promise<{ items: HoldRecord[]; next: string | undefined }>;
  /** Releases a hold that is in force; any other stays as it is. Undefined where the tenant has no such hold. */
  release(
    tenant: string,
    id: string,
    by: { reason: string; keyId: string },
    deadline: number,
  ): Promise<HoldRecord | undefined>;
  /** The holds in force of all tenants, and the tenants that have one. */
  countActive(deadline: number): Promise<{ holds: number; tenants: number }>;
};
