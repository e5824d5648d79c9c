import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CONTENT_SECURITY_POLICY, docsPage } from "../../../functions/api-docs/docs-page.ts";

const page = docsPage({ rapidoc: { text: "", version: "r1" }, page: { text: "", version: "p1" } });
const addresses = [...page.matchAll(/(?:src|href|spec-url)="([^"]*)"/g)].map(([, address]) => address ?? "");

describe("the documentation page", () => {
  it.each(["https://example.com/", "https://example.com/dev/"])("loads only addresses below %s", (base) => {
    const urls = addresses
      .filter((address) => address !== "data:,")
      .map((address) => new URL(address, `${base}docs`).href);

    expect(new Set(urls)).toEqual(
      new Set([`${base}docs/page.js?v=p1`, `${base}docs/rapidoc-min.js?v=r1`, `${base}openapi.json`]),
    );
  });

  it("has no inline script, and its policy allows none", () => {
    expect(page).not.toMatch(/<script(?![^>]* src=)|\son\w+=|javascript:/);
    expect(CONTENT_SECURITY_POLICY).toContain("script-src 'self';");
  });

  it("lets the row of RapiDoc's buttons wrap, whose last one is TRY, so that a phone shows it", () => {
    const rapidoc = readFileSync("node_modules/rapidoc/dist/rapidoc-min.js", "utf8");
    const row = /part="(wrap-request-btn)">[^]*?part="btn btn-try"/.exec(rapidoc)?.[1];

    expect(row).toBe("wrap-request-btn");
    expect(page).toMatch(/rapi-doc::part\(wrap-request-btn\) \{ flex-wrap: wrap;/);
  });

  it("takes a key for TRY, and keeps it in the memory of the page only", () => {
    const rapidoc = readFileSync("node_modules/rapidoc/dist/rapidoc-min.js", "utf8");
    const attributes = ["allow-authentication", "persist-auth"].filter((name) =>
      rapidoc.includes(`attribute:"${name}"`),
    );

    expect(attributes).toEqual(["allow-authentication", "persist-auth"]);
    expect(page).toMatch(/\sallow-authentication="true"\s/);
    // With "true", RapiDoc keeps the key in localStorage.
    expect(page).toMatch(/\spersist-auth="false"\s/);
  });

  it("loads no fonts from elsewhere", () => {
    expect(page).toContain('load-fonts="false"');
  });
});
