import { existsSync, readFileSync, statSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { INSTALLATION, ROLES, scopesOf } from "../../../functions/core/scopes.ts";

const page = readFileSync("docs/security.md", "utf8");

/** The cells of each row of the table below a heading of columns. */
function rowsBelow(head: string): string[][] {
  const [, table = ""] = page.split(`${head}\n`);
  const [rows = ""] = table.trimEnd().split("\n\n");
  return rows
    .split("\n")
    .slice(1)
    .map((row) =>
      row
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

const named = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);

describe("docs/security.md", () => {
  it("the table of roles has exactly the roles and scopes of the code", () => {
    const rows = rowsBelow("| Role | Scopes |").map(([role = "", scopes = ""]) => {
      const [ofTenant = "", ofInstallation = ""] = scopes.split("; of the installation also ");
      return [named(role)[0], { ofTenant: named(ofTenant), ofInstallation: named(ofInstallation) }];
    });

    expect(Object.fromEntries(rows)).toEqual(
      Object.fromEntries(
        ROLES.map((role) => {
          const ofTenant = scopesOf({ role, tenant: "t" });
          const ofInstallation = scopesOf({ role, tenant: INSTALLATION }).filter((scope) => !ofTenant.includes(scope));
          return [role, { ofTenant, ofInstallation }];
        }),
      ),
    );
  });

  const risks = rowsBelow("| Risk | What holds it | Test |").map(([risk = "", , tests = ""]) => ({ risk, tests }));

  it("the table of risks has all ten", () => {
    expect(risks.map(({ risk }) => risk.split(" ")[0])).toEqual(Array.from({ length: 10 }, (_, i) => `API${i + 1}`));
  });

  it.each(risks)("the risk $risk names files of tests that exist, and nothing else", ({ tests }) => {
    const files = tests.split(", ");

    expect(
      files.filter((file) => !/^test\/.+\.test\.ts$/.test(file) || !existsSync(file) || !statSync(file).isFile()),
    ).toEqual([]);
  });
});
