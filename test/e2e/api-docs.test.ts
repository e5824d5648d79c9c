import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { get } from "../support/http.ts";
import { openTarget, type Target } from "./test-stack.ts";

let target: Target;
beforeAll(async () => {
  target = await openTarget();
});
afterAll(() => target?.close());

const ORDER = "com.example.order.placed";

type OpenApi = {
  tags: { name: string; description?: string }[];
  components: { schemas: Record<string, { title?: string }> };
};

describe("api-docs", () => {
  const url = (path: string) => `${target.url}${path}`;

  it("lists the types of the catalog with links to their schemas", async () => {
    const list = await get(url("/schemas"));
    const { types } = JSON.parse(list.text) as { types: { type: string; versions: { link: string }[] }[] };

    expect(types.map(({ type }) => type)).toContain(ORDER);
    for (const { type, versions } of types) {
      for (const { link } of versions) {
        const schema = await get(new URL(link, url("/schemas")).href);
        expect(schema.headers.get("content-type")).toBe("application/schema+json");
        expect(schema).toMatchObject({ status: 200, body: { title: type, type: "object" } });
      }
    }
  });

  it("returns the schema of a type's oldest version", async () => {
    expect(await get(url(`/schemas/${ORDER}`))).toMatchObject({
      status: 200,
      body: { title: ORDER, required: ["orderId", "customerId", "currency", "items"] },
    });
  });

  it.each([
    ["/schemas/nothing", "no_such_type"],
    [`/schemas/${ORDER}?dataschema=urn:nothing`, "no_such_version"],
  ])("answers %s with 404 %s", async (path, code) => {
    const answer = await get(url(path));

    expect(answer).toMatchObject({ status: 404, body: { code } });
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
  });

  it("serves the OpenAPI document that is in docs/, and the catalog's types in it", async () => {
    const answer = await get(url("/openapi.json"));
    const { body: catalog } = await get(url("/schemas"));

    expect(answer.headers.get("content-type")).toBe("application/json");
    const { tags, components, ...rest } = answer.body as unknown as OpenApi;
    const types = (catalog as unknown as { types: { type: string }[] }).types.map(({ type }) => type);
    const [own, data] = [false, true].map((isData) =>
      Object.entries(components.schemas).filter(([name]) => name.startsWith("data.") === isData),
    );
    expect(new Set(data?.map(([, { title }]) => title))).toEqual(new Set(types));
    for (const type of types) expect(tags[0]?.description).toContain(type);
    const { tags: committedTags, ...committed } = JSON.parse(readFileSync("docs/openapi.json", "utf8")) as OpenApi;
    expect({ ...rest, components: { ...components, schemas: Object.fromEntries(own ?? []) } }).toEqual(committed);
    expect(tags.slice(1)).toEqual(committedTags.slice(1));
  });

  it.each(["/health", "/docs", "/openapi.json", "/schemas", `/schemas/${ORDER}`, "/events/nothing-is-stored-here"])(
    "answers HEAD %s as GET, without a body",
    async (path) => {
      const [head, got] = [await fetch(url(path), { method: "HEAD" }), await fetch(url(path))];

      expect(head.status).toBe(got.status);
      expect(head.headers.get("content-type")).toBe(got.headers.get("content-type"));
      expect(await head.text()).toBe("");
      expect((await got.text()).length).toBeGreaterThan(0);
    },
  );

  it.each([
    ["PUT", "/health", "GET, HEAD"],
    ["DELETE", "/events/1", "GET, HEAD"],
    ["OPTIONS", "/events", "POST, GET, HEAD"],
    ["PUT", "/events", "POST, GET, HEAD"],
    ["DELETE", "/events/query", "POST, GET, HEAD"],
    ["PATCH", "/docs/page.js", "GET, HEAD"],
  ])("answers %s %s with 405 and the methods of the path", async (method, path, allow) => {
    const body = ["GET", "OPTIONS"].includes(method) ? null : "any text";

    const answer = await fetch(url(path), { method, body });

    expect(answer.status).toBe(405);
    expect(answer.headers.get("allow")).toBe(allow);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(await answer.json()).toMatchObject({ code: "method_not_allowed", status: 405 });
  });

  it("serves a page that loads only its own scripts, which browsers may keep", async () => {
    const page = await fetch(url("/docs"));
    const html = await page.text();
    const scripts = [...html.matchAll(/<script type="module" src="([^"]+)">/g)].map(([, src]) => src ?? "");

    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(page.headers.get("content-security-policy")).toMatch(/^default-src 'none'; script-src 'self';/);
    expect(scripts).toHaveLength(2);
    for (const src of scripts) {
      const script = await fetch(new URL(src, page.url));
      expect(script.status).toBe(200);
      expect(script.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
      expect(script.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
      expect((await script.text()).length).toBeGreaterThan(100);
    }
  });

  it("serves RapiDoc byte for byte", async () => {
    const script = await (await fetch(url("/docs/rapidoc-min.js"))).text();

    expect(script === readFileSync("node_modules/rapidoc/dist/rapidoc-min.js", "utf8")).toBe(true);
  });

  it("redirects /docs/ to /docs, because the page's addresses are relative to it", async () => {
    const page = await fetch(url("/docs/"));

    expect(page).toMatchObject({ status: 200, redirected: true, url: url("/docs") });
  });
});
