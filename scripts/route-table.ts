import * as z from "zod/mini";
import type { Route } from "../functions/routes/route.ts";
import { routes } from "../functions/routes/routes.ts";

const [BEGIN, END] = ["<!-- routes: written by npm run generate -->\n", "<!-- /routes -->"];

/** Replaces the table of routes between the markers of README.md. */
export function withRouteTable(readme: string): string {
  const [before, , after] = readme.split(new RegExp(`(?<=${BEGIN})([^]*?)(?=${END})`));
  if (before === undefined || after === undefined) throw new Error(`README.md lacks the markers ${BEGIN}and ${END}.`);
  const all = Object.values(routes).flatMap((ofFunction) => Object.values<Route>(ofFunction));
  // People load the page, not its scripts.
  const rows = all.filter(({ answers }) => !answers[200]?.contentType?.startsWith("text/javascript")).map(row);
  return `${before}\n| Route | | Scope | Query |\n|---|---|---|---|\n${rows.join("")}\n${after}`;
}

function row(route: Route): string {
  const { method, path, auth, summary } = route;
  const scope = auth === "public" ? "public" : `\`${auth}\``;
  return `| \`${method} ${path}\` | ${summary} | ${scope} | ${describe(route)} |\n`;
}

function describe({ guide, query = {}, repeatable = {}, families = {} }: Route): string {
  if (guide === undefined) {
    return Object.entries(query)
      .map(([name, schema]) => `\`${name}\`: ${z.globalRegistry.get(schema)?.description}`)
      .join("; ");
  }
  const names = [...Object.keys({ ...repeatable, ...query }), ...Object.keys(families).map((each) => `${each}.…`)];
  return [...names.map((name) => `\`${name}\``), `[${guide}](${guide})`].join(" ");
}
