import { readFileSync } from "node:fs";
import { resolve } from "node:path";

type Document = { paths: Record<string, Record<string, unknown>> };

const { paths } = JSON.parse(
  readFileSync(resolve(import.meta.dirname, "../../../docs/openapi.json"), "utf8"),
) as Document;

const ROUTES = Object.entries(paths).map(([path, methods]) => ({
  pattern: new RegExp(`^${path.replaceAll(".", "\\.").replaceAll(/\{\w+\}/g, "[^/]+")}$`),
  methods: new Set(Object.keys(methods)),
}));

/** Tells whether docs/openapi.json has a method of a path. */
export function isRoute(method: string, path: string): boolean {
  return ROUTES.some(({ pattern, methods }) => pattern.test(path) && methods.has(method.toLowerCase()));
}
