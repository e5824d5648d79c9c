import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as z from "zod/mini";
import { allowedMethods } from "../../../functions/adapters/lambda/allowed-methods.ts";
import type { Route } from "../../../functions/routes/route.ts";
import { routes } from "../../../functions/routes/routes.ts";

const all = Object.values(routes).flatMap((ofFunction) => Object.entries<Route>(ofFunction));

describe("the route table", () => {
  it("has the routes of every file of functions/routes, so that each is deployed", async () => {
    const modules = readdirSync("functions/routes").map(
      (file) => import(`../../../functions/routes/${file.replace(/\.ts$/, "")}.ts`) as Promise<Record<string, unknown>>,
    );
    const exported = (await Promise.all(modules)).flatMap((module) =>
      Object.keys(module).flatMap((name) => (name.endsWith("Routes") ? [module[name]] : [])),
    );

    expect(exported.length).toBeGreaterThan(0);
    expect(new Set(exported)).toEqual(new Set(Object.values(routes)));
  });

  it("allows on a path the methods of its routes, HEAD beside GET, and none on another path", () => {
    const paths = ["/health", "/events", "/events/{id}", "/events/query", "/nothing"];

    expect(paths.map((path) => allowedMethods[path])).toEqual([
      ["GET", "HEAD"],
      ["POST", "GET", "HEAD"],
      ["GET", "HEAD"],
      ["POST", "GET", "HEAD"],
      undefined,
    ]);
  });

  it("has each operation, and each method and path, once", () => {
    for (const keys of [all.map(([name]) => name), all.map(([, { method, path }]) => `${method} ${path}`)])
      expect(keys).toEqual([...new Set(keys)]);
  });

  it.each(all)("has a schema for each parameter in the path of %s, and for no other", (_name, { path, parameters }) => {
    const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);

    expect(Object.keys(parameters ?? {})).toEqual(names);
  });

  it.each(all)("describes each query parameter of %s and lets it be missing", (_name, { query = {} }) => {
    for (const schema of Object.values(query)) {
      expect(z.globalRegistry.get(schema)?.description).toMatch(/\S/);
      expect(schema.safeParse(undefined).success).toBe(true);
    }
  });
});
