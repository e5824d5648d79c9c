import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FUNCTIONS } from "../../../functions/core/functions.ts";
import { routes } from "../../../functions/routes/routes.ts";
import { pathExists } from "./repository-paths.ts";

const guide = readFileSync("CONTRIBUTING.md", "utf8");

/** The numbered paths of each section "Add …". */
const lists = new Map(
  guide
    .split(/^## Add /m)
    .slice(1)
    .map((section) => {
      const [title = "", ...lines] = section.split("\n");
      const items = lines.filter((line) => /^\d+\. /.test(line));
      return [title, items.map((item) => /^\d+\. `([^`]+)`: /.exec(item)?.[1] ?? item)] as const;
    }),
);

/** The functions that a list is about: endpoints and scopes are of functions that answer HTTP requests. */
const functionsOf = (title: string): readonly string[] =>
  ["an endpoint", "a scope or role"].includes(title) ? Object.keys(routes) : FUNCTIONS;

describe("CONTRIBUTING.md", () => {
  it("CONTRIBUTING.md says how to add each part of the repository", () => {
    expect([...lists.keys()]).toEqual([
      "an endpoint",
      "a function",
      "a screen",
      "a scope or role",
      "an event type",
      "a migration",
      "a query",
      "an alarm",
      "a benchmark",
    ]);
  });

  it.each([...lists])("each step of adding %s begins with a path that each function has", (title, paths) => {
    expect(paths.length).toBeGreaterThan(0);
    const each = paths.flatMap((path) => functionsOf(title).map((name) => path.replaceAll("<function>", name)));
    expect(each.filter((path) => !pathExists(path))).toEqual([]);
  });

  it.each([
    ["an endpoint", 6],
    ["a function", 10],
  ])("adding %s touches at most %i files", (title, most) => {
    expect(lists.get(title)?.length).toBeLessThanOrEqual(most);
  });
});
