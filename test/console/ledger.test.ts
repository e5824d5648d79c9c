import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { type Console, startConsole } from "./support/console.ts";
import { CHROMIUM } from "./support/find-chromium.ts";
import { order } from "./support/orders.ts";
import { refuseText } from "./support/refuse-text.ts";

/** Events that a crash interrupts come again after minutes at most, and a snapshot is taken at the end of a minute. */
const AT_REST_MS = 400_000;

describe.skipIf(CHROMIUM === undefined)("the ledger on the page", () => {
  let console: Console;
  beforeAll(async () => {
    console = await startConsole();
  });
  afterAll(() => console?.close());

  it(
    "the overview shows the test's own count after the database crashed and stayed down, with nothing in no count",
    async () => {
      const { postgres } = console.runtime;
      await refuseText(console.runtime, "poison");
      const own = { Accepted: 0, Stored: 0, Copies: 0, Conflicts: 0, "Open dead letters": 0 };
      const send = async (kind: Exclude<keyof typeof own, "Accepted">, events: readonly object[]) => {
        await console.call("POST", "/events", events);
        own.Accepted += events.length;
        own[kind] += events.length;
      };
      const orders = (name: string, count: number, data: object = {}) =>
        Array.from({ length: count }, (_, at) => order(`${name}-${at}`, { data }));

      await send("Stored", orders("before", 30));
      await eventually(
        async () => Number((await console.runtime.query("select count(*) from events"))[0]?.["count"]),
        (count) => count === 30,
      );
      await send("Stored", orders("during", 40));
      await postgres.stop("immediate");
      await send("Stored", orders("down", 25));
      await send("Copies", orders("before", 5));
      await send("Conflicts", orders("before", 3, { orderId: "another" }));
      await postgres.start();
      await send("Open dead letters", orders("poison", 4, { customerId: "poison" }));

      await console.visit(
        "#/overview",
        async (page) => {
          const terms = () =>
            page
              .locator(".ledger .term")
              .evaluateAll((all) =>
                Object.fromEntries(
                  all.map((term) => [
                    term.querySelector("span:last-child")?.textContent ?? "",
                    Number(term.querySelector("b")?.textContent?.replaceAll(",", "")),
                  ]),
                ),
              );
          const isAtRest = (shown: Record<string, number>) =>
            shown["Accepted"] === own.Accepted && shown["Difference"] === 0;
          const shown = await eventually(
            async () => {
              await page
                .getByRole("button", { name: "Refresh" })
                .click({ timeout: 500 })
                .catch(() => undefined);
              // The page polls only while somebody uses it.
              await page.keyboard.press("Shift");
              return terms();
            },
            isAtRest,
            AT_REST_MS,
          );
          expect(shown).toMatchObject({ ...own, Replayed: 0, Discarded: 0, Difference: 0 });
          await page.getByText("Every accepted event is accounted for.").waitFor();
        },
        { expected: [503] },
      );
    },
    AT_REST_MS + 60_000,
  );
});
