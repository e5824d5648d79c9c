import * as z from "zod/mini";
import { DEPLOYER, KEY_ID, KEY_ID_ERROR, TENANT_NAME, TENANT_NAME_ERROR } from "../core/access.ts";
import { PAGE_MAX_ITEMS } from "../core/access-limits.ts";
import { number } from "./number.ts";
import type { Routes } from "./route.ts";

const json = "application/json";

/** Every body of access is small JSON; API Gateway itself refuses larger ones and other encodings. */
const BODY_ERRORS = ["malformed_body", "body_too_large", "unsupported_media_type"] as const;

const id = z.string(KEY_ID_ERROR).check(z.minLength(1, KEY_ID_ERROR), z.regex(KEY_ID, KEY_ID_ERROR));

const tenant = z
  .string(TENANT_NAME_ERROR)
  .check(z.minLength(1, TENANT_NAME_ERROR), z.regex(TENANT_NAME, TENANT_NAME_ERROR));

const limit = number(`is no whole number from 1 to ${PAGE_MAX_ITEMS}`, /^[1-9]\d{0,2}$/, PAGE_MAX_ITEMS).check(
  z.describe(`At most so many; ${PAGE_MAX_ITEMS} where it is missing, which is the most`),
);

const CREATED_BY_ERROR = `is neither an id of a key nor ${DEPLOYER}`;

const createdBy = z
  .optional(
    z
      .string(CREATED_BY_ERROR)
      .check(z.minLength(1, CREATED_BY_ERROR), z.regex(new RegExp(`^${DEPLOYER}$|${KEY_ID.source}`), CREATED_BY_ERROR)),
  )
  .check(z.describe(`Only keys that were made with this key; \`${DEPLOYER}\`: by invoking the function`));

const after = z
  .optional(z.string("is no text").check(z.maxLength(128, "is no `next` of a list")))
  .check(z.describe("`next` of the part before"));

export const accessRoutes = {
  createKey: {
    method: "POST",
    path: "/keys",
    auth: "keys",
    tag: "access",
    summary: "Make a key",
    description: `The key itself is in this answer only. Nobody makes a key with more rights than their own: no other scopes,
types, sources or higher limits; with a key of a tenant, none that lives longer. A key of the installation names the tenant
in \`tenant\`, which may be new: the first key of a tenant makes the tenant. The header \`Sluice-Tenant\` names only a tenant
that exists.`,
    body: { description: "The settings of the key", content: { [json]: { anyOf: ["NewKey"] } } },
    answers: { 201: { description: "The new key", contentType: json, schema: "MadeKey" } },
    errors: [...BODY_ERRORS],
  },
  listKeys: {
    method: "GET",
    path: "/keys",
    auth: "keys",
    tag: "access",
    summary: "List the keys of the tenant",
    description: `A key of the installation that names no tenant gets the keys of all. A part may have fewer keys than
\`limit\`, or none: the end is where \`next\` is missing.`,
    query: { after, limit, createdBy },
    answers: { 200: { description: "The keys", contentType: json, schema: "Keys" } },
    errors: [],
  },
  readKey: {
    method: "GET",
    path: "/keys/{id}",
    auth: "keys",
    tag: "access",
    summary: "Read the settings and the last use of a key",
    parameters: { id },
    answers: { 200: { description: "All but the key itself", contentType: json, schema: "Key" } },
    errors: ["no_such_key"],
  },
  revokeKey: {
    method: "DELETE",
    path: "/keys/{id}",
    auth: "keys",
    tag: "access",
    summary: "Revoke a key",
    description: "Every function refuses it within 10 seconds. Revoking it again changes nothing.",
    parameters: { id },
    answers: { 204: { description: "It is revoked" } },
    errors: ["no_such_key"],
  },
  rotateKey: {
    method: "POST",
    path: "/keys/{id}/rotate",
    auth: "keys",
    tag: "access",
    summary: "Make a key of the same settings in the place of another",
    description: `The old key ends at once, or at the end of \`grace\`. A key that expires gets as long a life again, which
must not be longer than that of the caller's own key, if that is one of a tenant. The body may be missing.`,
    parameters: { id },
    body: { description: "The end of the old key", content: { [json]: { anyOf: ["Rotation"] } } },
    answers: { 201: { description: "The new key", contentType: json, schema: "MadeKey" } },
    errors: ["no_such_key", "key_ended", ...BODY_ERRORS],
  },
  listTenants: {
    method: "GET",
    path: "/tenants",
    auth: "tenants",
    tag: "access",
    summary: "List the tenants",
    query: { after, limit },
    answers: { 200: { description: "The tenants", contentType: json, schema: "Tenants" } },
    errors: [],
  },
  readTenant: {
    method: "GET",
    path: "/tenants/{tenant}",
    auth: "tenants",
    tag: "access",
    summary: "Read the state and the limits of a tenant",
    parameters: { tenant },
    answers: { 200: { description: "The tenant", contentType: json, schema: "Tenant" } },
    errors: ["no_such_tenant"],
  },
  putTenant: {
    method: "PUT",
    path: "/tenants/{tenant}",
    auth: "tenants",
    tag: "access",
    summary: "Make a tenant, suspend or resume it, set its limits",
    description:
      "A member that is missing stays as it is; `limits` takes the place of all limits, so `{}` takes them away.",
    parameters: { tenant },
    body: { description: "The members to set", content: { [json]: { anyOf: ["TenantChanges"] } } },
    answers: {
      200: { description: "The tenant as it is now", contentType: json, schema: "Tenant" },
      201: { description: "The new tenant", contentType: json, schema: "Tenant" },
    },
    errors: [...BODY_ERRORS],
  },
  readAudit: {
    method: "GET",
    path: "/audit",
    auth: "admin",
    tag: "access",
    summary: "Read the audit log of the tenant",
    description: `Every change of keys and tenants is an entry, oldest first; each has the hash of the one before.
\`npm run audit -- verify\` finds an entry that was edited, removed or moved. A key of the installation that names no tenant
reads the log of the installation itself.`,
    query: {
      after: number("is no number of an entry", /^(?:0|[1-9]\d{0,14})(?:\.\d{1,20})?$/, Number.MAX_SAFE_INTEGER).check(
        z.describe("The number of the entry before; the first where it is missing"),
      ),
      limit,
    },
    answers: { 200: { description: "Entries and the head", contentType: json, schema: "Audit" } },
    errors: [],
  },
} as const satisfies Routes;
