import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { accessibilityFaults } from "./support/accessibility.ts";
import { type Console, startConsole } from "./support/console.ts";
import { CHROMIUM } from "./support/find-chromium.ts";
import { order } from "./support/orders.ts";
import { refuseText } from "./support/refuse-text.ts";

/** The status of a request that got no answer, as the browser logs it. */
const NO_ANSWER = Number.NaN;

describe.skipIf(CHROMIUM === undefined)("dead letters on the page", () => {
  let console: Console;
  /** Lets the database take the events of a test from now on. */
  let accept = async (): Promise<void> => {};
  beforeAll(async () => {
    console = await startConsole();
  });
  afterAll(() => console?.close());
  afterEach(() => accept());

  /** Sends orders that the database refuses until `accept`, and waits until they are dead letters. */
  async function poison(ids: readonly string[]): Promise<void> {
    const end = await refuseText(console.runtime, "unwanted");
    accept = async () => {
      accept = async () => {};
      await end();
    };
    await console.call(
      "POST",
      "/events",
      ids.map((id) => order(id, { data: { customerId: "unwanted" } })),
    );
    await eventually(
      () => states(ids),
      (rows) => rows.length === ids.length,
    );
  }

  const states = async (ids: readonly string[]): Promise<unknown[]> => {
    const list = ids.map((id) => `'${id}'`).join(",");
    const rows = await console.runtime.query(`select state from dead_letters where event_id in (${list})`);
    return rows.map(({ state }) => state);
  };

  const isStored = (id: string) =>
    eventually(() => console.call<{ data: Record<string, unknown> }>("GET", `/events/${id}?source=/shop`));

  it("a poison event is found by its cause, corrected at the place of its error, replayed, and seen as stored", async () => {
    await poison(["poison-1", "poison-2", "poison-3"]);

    await console.visit(
      "#/dead-letters",
      async (page) => {
        await page.getByRole("list", { name: "Causes" }).getByText("refused by a test").click();
        await page.getByRole("link", { name: "poison-1" }).click();
        await page.getByRole("button", { name: "Correct and replay…" }).click();
        const text = page.locator("textarea[name=event]");
        const before = await text.inputValue();

        await text.fill(before.replace('"EUR"', '"euro"'));
        await page.getByRole("button", { name: "Validate" }).click();
        const fault = page.getByRole("button", { name: "/data/currency" });
        await fault.click();
        const chosen = await text.evaluate((area: HTMLTextAreaElement) =>
          area.value.slice(area.selectionStart, area.selectionEnd),
        );
        expect(chosen).toContain('"euro"');
        expect(await page.getByRole("button", { name: "Replay the corrected event" }).isDisabled()).toBe(true);

        await text.fill(before.replace('"unwanted"', '"customer-8"'));
        await page.getByRole("button", { name: "Validate" }).click();
        await page.getByText("It is valid, and the dead letter is still open.").waitFor();
        await page.getByRole("button", { name: "Replay the corrected event" }).click();
        const history = page.getByRole("region", { name: "History" });
        await history.getByText("stored", { exact: true }).waitFor();

        await history.getByRole("link", { name: "the event" }).click();
        await page.getByRole("dialog").getByText("customer-8").first().waitFor();
        await page.getByRole("dialog").getByText("Received", { exact: true }).waitFor();
      },
      { expected: [422] },
    );

    expect(await isStored("poison-1")).toMatchObject({ data: { orderId: "poison-1", customerId: "customer-8" } });
    expect(await states(["poison-2", "poison-3"])).toEqual(["open", "open"]);
  });

  it("all of a cause are planned by a dry run, replayed at a rate, and counted by the receipt", async () => {
    await poison(["dry-1", "dry-2"]);
    await accept();

    await console.visit("#/dead-letters?id=dry-1&id=dry-2&view=list", async (page) => {
      await page.getByRole("button", { name: "Replay all…" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByText("Nothing has started yet.").waitFor();
      expect(await states(["dry-1", "dry-2"])).toEqual(["open", "open"]);
      await dialog.getByLabel(/Events a second/).fill("100");
      await dialog.getByRole("button", { name: "Replay 2" }).click();
      const receipt = dialog.locator("dl.receipt");
      await dialog.getByRole("status").getByText("done").waitFor();
      await receipt.locator("div", { hasText: "stored" }).getByText("2").waitFor();
      expect(await accessibilityFaults(page)).toEqual([]);

      await dialog.getByRole("link", { name: "see it among the jobs" }).click();
      await page.getByRole("region", { name: "Replay of 2 dead letters" }).waitFor();
    });

    await isStored("dry-1");
    await isStored("dry-2");
  });

  it("a start whose answer was lost is sent again without a second job, and takes what was counted alone", async () => {
    await poison(["lost-1", "lost-2"]);

    await console.visit(
      "#/dead-letters?id=lost-1&id=lost-2&id=lost-3&view=list",
      async (page) => {
        await page.getByRole("button", { name: "Replay all…" }).click();
        const dialog = page.getByRole("dialog");
        await dialog.getByText("Nothing has started yet.").waitFor();
        await console.call("POST", "/events", [order("lost-3", { data: { customerId: "unwanted" } })]);
        await eventually(
          () => states(["lost-3"]),
          (rows) => rows.length === 1,
        );
        await accept();
        let starts = 0;
        await page.route("**/replays", async (route) => {
          starts += 1;
          if (starts > 1) return route.continue();
          await route.fetch();
          await route.abort();
        });

        await dialog.getByRole("button", { name: "Replay 2" }).click();
        await dialog.getByText("The API does not answer").waitFor();
        await dialog.getByRole("button", { name: "Try again" }).click();
        await dialog.getByRole("status").getByText("done").waitFor();

        expect(starts).toBe(2);
      },
      { expected: [NO_ANSWER] },
    );

    const { replays } = await console.call<{ replays: { id: string }[] }>("GET", "/replays");
    const wanted = await Promise.all(
      replays.map(({ id }) => console.call<{ request?: { filter?: unknown }; taken: number }>("GET", `/replays/${id}`)),
    );
    const ours = wanted.filter(({ request }) => JSON.stringify(request ?? {}).includes("lost-1"));
    expect(ours.map(({ taken }) => taken)).toEqual([2]);
    expect(await states(["lost-3"])).toEqual(["open"]);
  });

  it("a start of which more match by now is refused, and counted again", async () => {
    await poison(["more-1"]);
    await console.visit(
      "#/dead-letters?id=more-1&id=more-2&view=list",
      async (page) => {
        await page.getByRole("button", { name: "Replay all…" }).click();
        const dialog = page.getByRole("dialog");
        await dialog.getByText("Nothing has started yet.").waitFor();
        await console.call("POST", "/events", [order("more-2", { data: { customerId: "unwanted" } })]);
        await eventually(
          () => states(["more-2"]),
          (rows) => rows.length === 1,
        );
        // As if its transaction had been under way while the plan counted.
        await console.runtime.query(
          "update dead_letters set opened_at = (select min(opened_at) from dead_letters where event_id = 'more-1') where event_id = 'more-2'",
        );

        await dialog.getByRole("button", { name: "Replay 1" }).click();
        await dialog.getByText("2 match now, and the plan had 1. Nothing began.").waitFor();
        await dialog.getByRole("button", { name: "Try again" }).click();
        await dialog.getByRole("button", { name: "Replay 2" }).waitFor();
      },
      { expected: [409] },
    );
    expect(await states(["more-1", "more-2"])).toEqual(["open", "open"]);
  });

  it("a replay that goes on is cancelled, and its receipt says what it has taken", async () => {
    const ids = Array.from({ length: 40 }, (_, at) => `slow-${at}`);
    await poison(ids);
    await accept();
    const filter = { prefix: { id: "slow-" } };
    const { id } = await console.call<{ id: string }>("POST", "/replays", { filter, rate: 1, limit: ids.length });

    await console.visit(`#/jobs/replays/${id}`, async (page) => {
      const job = page.getByRole("region", { name: "Replay of 40 dead letters" });
      await job.getByRole("button", { name: "Cancel" }).click();
      await job.getByRole("status").getByText("cancelled", { exact: true }).waitFor();
      await job.locator("dl.receipt div", { hasText: "planned" }).getByText("40").waitFor();
    });

    const left = (await states(ids)).filter((state) => state === "open");
    expect(left.length).toBeGreaterThan(0);
  });

  it("a discard does nothing at a wrong count, and is in the audit log at the right one", async () => {
    await poison(["given-up-1", "given-up-2"]);
    await accept();

    await console.visit("#/dead-letters?id=given-up-1&id=given-up-2&view=list", async (page) => {
      await page.getByRole("button", { name: "Discard all…" }).click();
      const dialog = page.getByRole("dialog");
      const count = dialog.locator("input[name=count]");
      await dialog.locator("textarea[name=note]").fill("tests of ours");
      for (const wrong of ["", "1", "3", "two"]) {
        await count.fill(wrong);
        await count.press("Enter");
        expect(await dialog.getByRole("button", { name: "Discard 2" }).isDisabled()).toBe(true);
      }
      const { replays } = await console.call<{ replays: { action: string }[] }>("GET", "/replays");
      expect(replays.filter(({ action }) => action === "discard")).toEqual([]);

      await count.fill("2");
      await count.press("Enter");
      await dialog.getByRole("status").getByText("done").waitFor();
      await page.keyboard.press("Escape");
      await page.getByText("No dead letter matches").waitFor();

      await page.getByRole("link", { name: "Audit log" }).click();
      const entry = page.locator("li", { hasText: "dead-letters.discard" }).first();
      await entry.click();
      await entry.getByText("tests of ours").waitFor();
    });

    expect(await states(["given-up-1", "given-up-2"])).toEqual(["discarded", "discarded"]);
  });
});
