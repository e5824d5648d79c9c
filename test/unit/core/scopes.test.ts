import { describe, expect, it } from "vitest";
import {
  concernsInstallation,
  INSTALLATION,
  mayConcernInstallation,
  mayConcernSuspended,
  ROLES,
  SCOPES,
  scopesOf,
} from "../../../functions/core/scopes.ts";

describe("scopes", () => {
  it("scopes of roles grow from the reader to the admin, and a producer only writes", () => {
    const of = Object.fromEntries(ROLES.map((role) => [role, scopesOf({ role, tenant: "acme" })]));

    expect(of).toEqual({
      producer: ["events:write"],
      reader: ["events:read", "console"],
      operator: ["events:read", "dead-letters:read", "dead-letters:replay", "subscriptions", "status", "console"],
      admin: SCOPES.filter((scope) => scope !== "tenants"),
    });
  });

  it("scopes of the installation are those of its keys alone, whatever the role of another key", () => {
    expect(scopesOf({ role: "admin", tenant: INSTALLATION })).toEqual(SCOPES);
    for (const role of ROLES) expect(scopesOf({ role, tenant: "acme" })).not.toContain("tenants");
  });

  it("scopes of events name a tenant always, tenants never, and dead letters, sums, sign-ins, keys and the audit log where the caller does", () => {
    expect(SCOPES.filter(concernsInstallation)).toEqual(["tenants"]);
    const ofBoth = ["dead-letters:read", "dead-letters:replay", "status", "console", "keys", "admin"];
    expect(SCOPES.filter(mayConcernInstallation)).toEqual([...ofBoth, "tenants"]);
    expect(SCOPES.filter(mayConcernSuspended)).toEqual(["console", "keys", "admin", "tenants"]);
  });
});
