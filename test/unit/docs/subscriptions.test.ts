import { readFileSync } from "node:fs";
import * as z from "zod/mini";
import { describe, expect, it } from "vitest";
import { parseFilter } from "../../../functions/core/filter/filter.ts";
import { newSubscription } from "../../../functions/core/subscription-bodies.ts";
import { ATTEMPT_STATUSES, DELIVERY_STATES } from "../../../functions/core/delivery.ts";
import { DISABLED_REASONS, SUBSCRIPTION_STATES } from "../../../functions/core/subscription.ts";
import { notifyRoutes } from "../../../functions/routes/notify.ts";

const document = readFileSync("docs/subscriptions.md", "utf8");

/** The cells of the table whose head begins so, a list for each row. */
function tableOf(head: string): string[][] {
  const [table = ""] = document.split(`| ${head} `).slice(1);
  const rows = (table.split("\n\n")[0] ?? "").split("\n").slice(2);
  return rows.map((row) => row.split(" | ").map((cell) => cell.replaceAll(/^\| | \|$/g, "")));
}

const codeOf = (cell = "") => /^`([^`]+)`/.exec(cell)?.[1];

describe("docs/subscriptions.md", () => {
  it("docs/subscriptions.md gives a body that is valid", () => {
    const [, body = ""] = /-d '([^']+)'/.exec(document) ?? [];
    const parsed = newSubscription.parse(JSON.parse(body));

    expect(() => parseFilter(parsed.filter)).not.toThrow();
  });

  it("docs/subscriptions.md describes each member of a subscription, and no other", () => {
    expect(tableOf("Member").map(([name]) => codeOf(name))).toEqual(
      expect.arrayContaining(Object.keys(newSubscription.shape)),
    );
    expect(tableOf("Member")).toHaveLength(Object.keys(newSubscription.shape).length);
  });

  it("docs/subscriptions.md describes each type of sink with its members", () => {
    const schema = z.toJSONSchema(newSubscription.shape.sink, { io: "input" });
    const types = (schema.oneOf ?? []).map(({ properties = {}, required = [] }) => {
      const { const: type } = properties["type"] as { const: string };
      return `{"type": "${type}", ${required
        .filter((name) => name !== "type")
        .map((name) => `"${name}": ${type === "email" ? "[…]" : "…"}`)
        .join(", ")}}`;
    });

    const described = tableOf("Sink").flatMap(([cell = ""]) =>
      [...cell.matchAll(/`([^`]+)`/g)].map(([, text]) => text),
    );
    expect(described).toEqual(types);
  });

  it("docs/subscriptions.md describes each state and each reason", () => {
    const states = tableOf("State | `disabledReason`");

    expect(new Set(states.map(([state]) => codeOf(state)))).toEqual(new Set(SUBSCRIPTION_STATES));
    expect(states.flatMap(([, reason]) => codeOf(reason) ?? [])).toEqual([...DISABLED_REASONS]);
    expect(tableOf("State | Means").map(([state]) => codeOf(state))).toEqual([...DELIVERY_STATES]);
    expect(document.replaceAll(/\s+/g, " ")).toContain(
      `\`status\` (${ATTEMPT_STATUSES.map((each) => `\`${each}\``).join(", ")})`,
    );
  });

  it("docs/subscriptions.md names each route", () => {
    const named = Object.values(notifyRoutes).map(({ path }) => path.replace(/^\/subscriptions\/\{id\}/, ""));

    for (const path of named.filter((each) => each !== "")) expect(document).toContain(`${path}\``);
  });
});
