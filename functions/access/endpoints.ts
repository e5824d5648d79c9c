import { newKey, rotation, tenantChanges } from "../core/access-bodies.ts";
import { PAGE_MAX_ITEMS } from "../core/access-limits.ts";
import type { Principal } from "../core/principal.ts";
import type { accessRoutes } from "../routes/access.ts";
import type { Handlers } from "../routes/route.ts";
import type { Access } from "./access.ts";
import type { Caller } from "./caller.ts";
import { ACCESS_BODY_MAX_BYTES } from "../core/access-limits.ts";
import { readBody } from "../core/read-body.ts";

/** Answers the routes of access. */
export function createAccessEndpoints(access: Access): Handlers<typeof accessRoutes> {
  const { keys, tenants } = access;
  return {
    createKey: async (request) => {
      const made = await keys.create(callerOf(request), readBody(newKey, request, ACCESS_BODY_MAX_BYTES));
      return { status: 201, headers: { ...NEVER_KEPT, location: `keys/${made.id}` }, body: JSON.stringify(made) };
    },

    listKeys: async (request) => {
      const { createdBy } = request.query;
      const { items, next } = await keys.list(callerOf(request), { ...pageOf(request.query), createdBy });
      return { status: 200, body: JSON.stringify({ keys: items, next }) };
    },

    readKey: async (request) => {
      return { status: 200, body: JSON.stringify(await keys.show(callerOf(request), request.parameters.id)) };
    },

    revokeKey: async (request) => {
      await keys.revoke(callerOf(request), request.parameters.id);
      return { status: 204, body: "" };
    },

    rotateKey: async (request) => {
      const { grace } = request.body.length === 0 ? {} : readBody(rotation, request, ACCESS_BODY_MAX_BYTES);
      const made = await keys.rotate(callerOf(request), request.parameters.id, grace);
      return { status: 201, headers: { ...NEVER_KEPT, location: `../${made.id}` }, body: JSON.stringify(made) };
    },

    listTenants: async ({ query }) => {
      const { items, next } = await tenants.list(pageOf(query));
      return { status: 200, body: JSON.stringify({ tenants: items, next }) };
    },

    putTenant: async (request) => {
      const changes = readBody(tenantChanges, request, ACCESS_BODY_MAX_BYTES);
      const { record, isNew } = await tenants.put(callerOf(request), request.parameters.tenant, changes);
      return { status: isNew ? 201 : 200, body: JSON.stringify(record) };
    },

    readTenant: async ({ parameters }) => {
      return { status: 200, body: JSON.stringify(await tenants.show(parameters.tenant)) };
    },

    readAudit: async (request) => {
      const { after = 0, limit = PAGE_MAX_ITEMS } = request.query;
      return { status: 200, body: JSON.stringify(await access.readAudit(callerOf(request), { after, limit })) };
    },
  };
}

function callerOf({ principal, requestId }: { principal: Principal; requestId: string }): Caller {
  return { ...principal, requestId };
}

function pageOf({ after, limit = PAGE_MAX_ITEMS }: { after?: string | undefined; limit?: number | undefined }) {
  return { after, limit };
}

/** The answer has a key: no cache may keep it. */
const NEVER_KEPT = { "cache-control": "no-store" };
