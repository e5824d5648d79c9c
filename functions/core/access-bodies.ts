import * as z from "zod/mini";
import { limits, TENANT_NAME, TENANT_NAME_ERROR } from "./access.ts";
import { KEY_MAX_PATTERNS, KEY_NAME_MAX_CHARACTERS } from "./access-limits.ts";
import { SOURCE_MAX_BYTES, TYPE_MAX_BYTES } from "./limits.ts";
import { pattern } from "./patterns.ts";
import { INSTALLATION, ROLES } from "./scopes.ts";

/** The bodies of requests to the function `access`. Members that are not here are refused. */

const tenant = z.string().check(
  z.refine((text) => text === INSTALLATION || TENANT_NAME.test(text), TENANT_NAME_ERROR),
  z.describe(
    `A key of the installation names the tenant here, where it may be new, or an existing one in \`Sluice-Tenant\`, or \`${INSTALLATION}\` for a key of the installation; a key of a tenant has its own`,
  ),
);

const PERIOD = "a duration (`12h`, `90d`; s, m, h, d or w), or an instant of RFC 3339";

const period = z.string().check(z.maxLength(64));

const name = z.string().check(
  z.minLength(1),
  z.maxLength(KEY_NAME_MAX_CHARACTERS),
  z.refine((text) => text.isWellFormed() && !/\p{Cc}/u.test(text), "has characters that cannot be shown"),
  z.describe("For people"),
);

const patterns = (maxBytes: number, of: string) =>
  z
    .array(pattern(maxBytes))
    .check(
      z.minLength(1),
      z.maxLength(KEY_MAX_PATTERNS),
      z.describe(
        `The ${of} that the key may send and read: each in full, or its beginning with \`*\` behind it. Missing: as the caller's own key`,
      ),
    );

/** `POST /keys` */
export const newKey = z.strictObject({
  tenant: z.optional(tenant),
  role: z.enum(ROLES),
  name: z.optional(name),
  expires: z.optional(period.check(z.describe(`The end of the key: ${PERIOD}. Missing: it never expires`))),
  types: z.optional(patterns(TYPE_MAX_BYTES, "types")),
  sources: z.optional(patterns(SOURCE_MAX_BYTES, "sources")),
  limits: z.optional(limits),
});

export type NewKey = z.output<typeof newKey>;

/** `POST /keys/{id}/rotate` */
export const rotation = z.strictObject({
  grace: z.optional(period.check(z.describe(`The end of the old key: ${PERIOD}. Missing: it ends at once`))),
});

/** `PUT /tenants/{tenant}` */
export const tenantChanges = z.strictObject({
  state: z.optional(z.enum(["active", "suspended"])),
  limits: z.optional(limits),
});

export type TenantChanges = z.output<typeof tenantChanges>;
