import * as z from "zod/mini";
import { TENANT_MAX_BYTES } from "./limits.ts";
import { ROLES } from "./scopes.ts";

/**
 * Keys and tenants: their records, and the ports to where they are kept. A key itself is never kept, only its hash.
 */

const BURST_NEEDS_RATE = "burst needs eventsPerSecond";

/** Whole numbers of 1 and more; a number that is absent limits nothing. */
export const limits = z
  .strictObject({
    eventsPerSecond: z.optional(z.int().check(z.positive())),
    /** Events that may come at once after a pause. @default the events of one second */
    burst: z.optional(z.int().check(z.positive())),
    requestsPerSecond: z.optional(z.int().check(z.positive())),
    /** By the UTC day. */
    eventsPerDay: z.optional(z.int().check(z.positive())),
  })
  .check(
    z.refine(({ burst, eventsPerSecond }) => burst === undefined || eventsPerSecond !== undefined, {
      error: BURST_NEEDS_RATE,
      path: ["burst"],
    }),
    z.meta({ dependentRequired: { burst: ["eventsPerSecond"] } }),
  );

export type Limits = z.output<typeof limits>;

/** As they are kept. Members that a later version has written are left out, so that a rollback finds the record whole. */
const keptLimits = z.object(limits.shape);

/** The id of a key, as core/key.ts makes it. */
export const KEY_ID = /^[0-9A-Za-z]{12}$/;
export const KEY_ID_ERROR = "is no id of a key: 12 characters of a-z, A-Z and 0-9";

/** Stands for the id of a key in changes that were made by invoking the function `access`. */
export const DEPLOYER = "deployer";

/** The name of a tenant: it stands in message groups, queries and URLs, so it has few characters. */
export const TENANT_NAME = new RegExp(`^[a-z0-9][a-z0-9._-]{0,${TENANT_MAX_BYTES - 1}}$`);

export const TENANT_NAME_ERROR = `is no name of a tenant: 1 to ${TENANT_MAX_BYTES} of a-z, 0-9, ".", "_" and "-", and the first is a-z or 0-9`;

/** An instant as RFC 3339 text in UTC with milliseconds, so that texts compare as their instants do. */
const instant = z.iso.datetime();

export const keyRecord = z.object({
  /** Also a part of the key, for example `4fQ0v7xYbN2k`. It is no secret. */
  id: z.string(),
  /** HMAC-SHA-256 of the key under the installation's secret, in hex (core/key.ts). */
  hash: z.string(),
  /** INSTALLATION (`*`) for a key that names the tenant with each request. */
  tenant: z.string(),
  role: z.enum(ROLES),
  name: z.optional(z.string()),
  /** The id of the key that created it, or `deployer`. */
  createdBy: z.string(),
  createdAt: instant,
  expiresAt: z.optional(instant),
  revokedAt: z.optional(instant),
  /** The key in whose place this one came. */
  replaces: z.optional(z.string()),
  /** The key that came in the place of this one. */
  replacedBy: z.optional(z.string()),
  /** Patterns (core/patterns.ts). @default every type */
  types: z.optional(z.array(z.string())),
  sources: z.optional(z.array(z.string())),
  limits: z.optional(keptLimits),
});

export type KeyRecord = z.output<typeof keyRecord>;

export const KEY_STATES = ["active", "expired", "revoked"] as const;

/** The state of a key at an instant (RFC 3339, UTC, milliseconds). A time in the future has no effect yet. */
export function stateOfKey(
  { revokedAt, expiresAt }: Pick<KeyRecord, "revokedAt" | "expiresAt">,
  now: string,
): (typeof KEY_STATES)[number] {
  if (revokedAt !== undefined && revokedAt <= now) return "revoked";
  return expiresAt !== undefined && expiresAt <= now ? "expired" : "active";
}

export const tenantRecord = z.object({
  tenant: z.string(),
  state: z.enum(["active", "suspended"]),
  createdAt: instant,
  limits: z.optional(keptLimits),
});

export type TenantRecord = z.output<typeof tenantRecord>;

/**
 * Reads one key or tenant, as it is now: a read after a change sees the change. Every function that answers requests
 * has it.
 */
export type AccessReader = {
  /** @throws AccessError when the table does not answer */
  key(id: string): Promise<KeyRecord | undefined>;
  /** @throws AccessError when the table does not answer */
  tenant(name: string): Promise<TenantRecord | undefined>;
};

/** The end of a key in whose place another one comes. */
export type Replacement = {
  /** The id of the other key. */
  replacedBy: string;
  /** The instant of the change. */
  at: string;
  end: { revokedAt: string } | { expiresAt: string };
};

/** A part of a list; `next` is the `after` of the part behind it, and missing at the end. */
export type Page<Item> = { items: Item[]; next: string | undefined };

export type PageRequest = { after: string | undefined; limit: number };

/** All that the function `access` does with keys and tenants. Every call may throw an AccessError. */
export type AccessStore = AccessReader & {
  /** Returns false where the id is taken already. */
  createKey(record: KeyRecord): Promise<boolean>;
  /** Sets the time from which the key is revoked, unless an earlier one is set. False where there is no such key. */
  revokeKey(id: string, revokedAt: string): Promise<boolean>;
  /**
   * Ends a key and names the one in its place, in one step. False, and nothing is changed, where it has another in its place
   * already, is revoked at any time, has expired by now, or where there is no such key. Done once more, it is true again.
   */
  replaceKey(id: string, replacement: Replacement): Promise<boolean>;
  /** The keys of a tenant, or all, by tenant and id. A key of the last second may be missing. */
  listKeys(tenant: string | undefined, page: PageRequest): Promise<Page<KeyRecord>>;
  /** Returns false where the tenant exists already. */
  createTenant(record: TenantRecord): Promise<boolean>;
  /** Changes the members that are given, at least one. False where there is no such tenant. */
  changeTenant(name: string, changes: Partial<Pick<TenantRecord, "state" | "limits">>): Promise<boolean>;
  /** All tenants by name. A tenant of the last second may be missing. */
  listTenants(page: PageRequest): Promise<Page<TenantRecord>>;
};

/** The days on which keys were used, and the leases of limits: what every function writes. */
export type KeyUsage = {
  /** Remembers that a key was used on a UTC day, for example `2026-11-29`. Never throws. */
  used(keyId: string, day: string): Promise<void>;
  /** The last day on which each key was used; nothing for a key that was not used for a year. @throws AccessError */
  lastUsed(keyIds: readonly string[]): Promise<Map<string, string>>;
};

/** One change, as the audit log keeps it (core/audit.ts). */
export type AuditEntry = {
  /** INSTALLATION for a change that concerns no tenant. */
  tenant: string;
  /** From 1, without gaps. */
  number: number;
  /** RFC 3339, UTC. */
  at: string;
  /** The id of the key, or `deployer`. */
  who: string;
  /** For example `key.create`. */
  action: string;
  /** The id of the key, the name of the tenant. */
  target: string;
  /** The change, without any key or secret. */
  details: Record<string, unknown>;
  requestId: string;
  /** The hash of the entry before; of the first one, 64 zeros. */
  previous: string;
  /** SHA-256 over all other members, in hex. */
  hash: string;
};

export type AuditLog = {
  /**
   * Appends an entry to the chain of its tenant. The entry after it is written only when the head is moved to it, so the
   * head is at most one entry behind. A chain whose head was removed, edited or moved back gets no entry more.
   * @throws AccessError: then the change must not happen
   */
  append(entry: Omit<AuditEntry, "number" | "previous" | "hash">): Promise<AuditEntry>;
  /**
   * The entries of a tenant after a number, oldest first, as they are, also those that somebody has edited; and the head,
   * which is read before them: it may be older than the last entry, and never newer. @throws AccessError
   */
  read(tenant: string, after: number, limit: number): Promise<{ entries: AuditEntry[]; head: AuditHead }>;
};

/**
 * The last entry of a chain, which is kept beside it so that a removal at the end is found. Before the first entry: 0 and
 * zeros; where there is no head: 0 and an empty text.
 */
export type AuditHead = { number: number; hash: string };

/** A call of the tables or of the installation's secret that failed: whether a key is good is not known. */
export class AccessError extends Error {
  override readonly name = "AccessError";
  /** Whether the service serves nobody now; otherwise the failure concerns this one item or request. */
  readonly isOutage: boolean;
  /** The table had too many calls for this item or in all, and has certainly changed nothing: call it less often. */
  readonly isThrottled: boolean;

  constructor(message: string, options: { cause?: unknown; isOutage?: boolean; isThrottled?: boolean } = {}) {
    super(message, { cause: options.cause });
    this.isOutage = options.isOutage ?? true;
    this.isThrottled = options.isThrottled ?? false;
  }
}
