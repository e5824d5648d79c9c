import * as z from "zod";
import { KEY_STATES, keyRecord, tenantRecord } from "./access.ts";
import { nextAfter } from "./next-after.ts";
import { INSTALLATION } from "./scopes.ts";

const { hash: _hash, ...keyMembers } = keyRecord.shape;

/** A key without the key itself. */
export const listedKey = z.object({
  ...keyMembers,
  state: z.enum(KEY_STATES).meta({ description: "A key that is not `active` is refused" }),
  lastUsed: z.iso.date().optional().meta({ description: "The last UTC day on which it was used" }),
});

export type ListedKey = z.output<typeof listedKey>;

/** The answer to `GET /keys`. */
export const keyPage = z.object({ keys: z.array(listedKey), next: nextAfter });

/** The answer to `POST /keys` and `POST /keys/{id}/rotate`. */
export const madeKey = z.object({
  ...listedKey.shape,
  key: z.string().meta({ description: "The key itself. It is in this answer only and cannot be read again" }),
});

export type MadeKey = z.output<typeof madeKey>;

/** The answer to `GET /tenants`. */
export const tenantPage = z.object({ tenants: z.array(tenantRecord), next: nextAfter });

const auditHead = z
  .object({ number: z.int().nonnegative(), hash: z.string().meta({ description: "Empty where there is no head" }) })
  .meta({ description: "The last entry; kept elsewhere, it proves later that nothing before it was changed" });

const auditEntry = z.object({
  tenant: z.string(),
  number: z.int().positive().meta({ description: "From 1, without gaps" }),
  at: z.iso.datetime(),
  who: z.string().meta({ description: "The id of the key, or `deployer`" }),
  action: z.string(),
  target: z.string().meta({ description: "The id of the key, or the tenant" }),
  details: z.record(z.string(), z.unknown()),
  requestId: z.string(),
  previous: z.string().meta({ description: "The hash of the entry before" }),
  hash: z.string().meta({ description: "SHA-256 over the other members as canonical JSON (RFC 8785), in hex" }),
});

/** The answer to `GET /audit`. */
export const auditPage = z.object({
  tenant: z.string().meta({ description: `Whose log it is; \`${INSTALLATION}\` for that of the installation` }),
  entries: z.array(auditEntry),
  head: auditHead,
  next: z.int().optional().meta({ description: "The `after` of the rest; missing at the end" }),
});

export type AuditPage = z.output<typeof auditPage>;
