import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { startWebhookReceiver, type WebhookReceiver } from "../support/webhook-receiver.ts";
import { accessibilityFaults } from "./support/accessibility.ts";
import { type Console, startConsole } from "./support/console.ts";
import { CHROMIUM } from "./support/find-chromium.ts";
import { order } from "./support/orders.ts";

describe.skipIf(CHROMIUM === undefined)("keys and subscriptions on the page", () => {
  let console: Console;
  let receiver: WebhookReceiver;
  beforeAll(async () => {
    [console, receiver] = await Promise.all([startConsole(), startWebhookReceiver()]);
  });
  afterAll(async () => {
    await receiver?.stop();
    await console?.close();
  });

  /** The status of a request with a key. */
  async function sendWith(key: string, id: string): Promise<number> {
    const response = await fetch(`${console.runtime.addresses.url}/events`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify(order(id)),
    });
    await response.arrayBuffer();
    return response.status;
  }

  it("a key is made and shown once, used, and refused after its revocation, of which the audit log has each step", async () => {
    await console.visit("#/keys", async (page) => {
      await page.getByRole("button", { name: "New key…" }).click();
      await page.getByLabel("Name, for people").fill("checkout");
      await page.getByLabel("Role").selectOption("producer");
      await page.getByRole("button", { name: "Make the key" }).click();
      const key = await page.getByLabel("Key", { exact: true }).inputValue();
      // The dialog of a secret stays until somebody has said that it is kept.
      await page.keyboard.press("Escape");
      await page.keyboard.press("Escape");
      await page.getByLabel("I have kept it").check();
      await page.getByRole("dialog").getByRole("button", { name: "Close" }).last().click();
      await page.getByRole("link", { name: "checkout" }).waitFor();
      expect(await page.content()).not.toContain(key);
      expect(await sendWith(key, "with-a-key")).toBe(202);

      await page.getByRole("link", { name: "checkout" }).click();
      await page.getByRole("button", { name: "Revoke…" }).click();
      const count = page.locator("input[name=count]");
      await count.fill("2");
      await count.press("Enter");
      expect(await page.getByRole("button", { name: "Revoke 1" }).isDisabled()).toBe(true);
      expect(await sendWith(key, "with-a-key")).toBe(202);
      await count.fill("1");
      await count.press("Enter");
      await page.locator("h1").getByText("revoked").waitFor();
      await eventually(
        () => sendWith(key, "with-a-key"),
        (status) => status === 401,
      );

      const id = await page.getByLabel("Settings").locator("code").first().textContent();
      await page.getByRole("link", { name: "Audit log" }).click();
      const entries = page.getByRole("list", { name: "Entries, latest first" });
      for (const action of ["key.create", "key.revoke"])
        await entries.locator("li", { hasText: `${action} ${id}` }).waitFor();
      await page.getByText(/^chain of \d+ entries holds$/).waitFor();
    });
  });

  it("a webhook that failed is seen in its attempts, retried, and delivered", async () => {
    receiver.answer(() => 500);
    const subscription = await console.call<{ id: string }>("POST", "/subscriptions", {
      name: "billing",
      filter: { exact: { source: "/webhook" } },
      sink: { type: "webhook", url: receiver.url },
    });
    await console.call("POST", "/events", [order("failing", { source: "/webhook" })]);
    await eventually(
      () => receiver.received.length,
      (count) => count > 0,
    );
    // The last try of the schedule is three days later.
    await eventually(
      async () => {
        await console.runtime.query(
          `update deliveries set schedule_attempts = 9, due_at = clock_timestamp(), schedule_from = clock_timestamp() - interval '76 hours'
           where subscription_id = '${subscription.id}' and state = 'pending' and leased_by is null`,
        );
        await console.call("POST", `/subscriptions/${subscription.id}/enable`);
        const { ledger } = await console.call<{ ledger: { failed: number } }>(
          "GET",
          `/subscriptions/${subscription.id}`,
        );
        return ledger.failed;
      },
      (failed) => failed === 1,
    );
    receiver.answer();

    await console.visit("#/subscriptions", async (page) => {
      await page.getByRole("link", { name: "billing" }).click();
      const attempts = page.getByRole("list", { name: "Attempts, latest first" });
      const latest = attempts.getByRole("listitem").first();
      await latest.getByText("500").first().click();
      await latest.getByText("an answer").waitFor();

      await page.getByRole("link", { name: "Failed, by cause" }).click();
      await page.getByRole("button", { name: "Retry those with 500…" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByRole("button", { name: "Count" }).click();
      await dialog.getByText("Nothing has started yet.").waitFor();
      expect(receiver.confirmed()).toEqual([]);
      expect(await accessibilityFaults(page)).toEqual([]);
      await dialog.getByRole("button", { name: "Retry 1" }).click();
      await dialog.locator("dl.receipt div", { hasText: "delivered" }).getByText("1").waitFor();
      await page.keyboard.press("Escape");
      await page.getByText("No delivery has failed").waitFor();

      await page.getByRole("link", { name: "Attempts" }).click();
      await attempts.getByText("204").waitFor();
    });
    expect(receiver.confirmed()).toEqual(["failing"]);
  });

  it("the settings of a subscription are changed on its screen, and what was left stays", async () => {
    const { id } = await console.call<{ id: string }>("POST", "/subscriptions", {
      name: "before",
      filter: { data: { n: [{ numeric: [">", 1] }] } },
      sink: { type: "webhook", url: receiver.url },
      rate: 7,
    });
    await console.visit(`#/subscriptions/${id}/settings`, async (page) => {
      await page.getByRole("button", { name: "Change…" }).click();
      const dialog = page.getByRole("dialog");
      expect(await dialog.getByRole("button", { name: "Change", exact: true }).isDisabled()).toBe(true);
      await dialog.getByLabel("Name, for people").fill("after");
      await dialog
        .locator("textarea[name=filter]")
        .fill('{"data": {"n": [{"numeric": [">", 12345678901234567890.50]}]}}');
      await dialog.getByLabel("Events a second").fill("");
      expect(await accessibilityFaults(page)).toEqual([]);
      await dialog.getByRole("button", { name: "Change", exact: true }).click();
      await dialog.waitFor({ state: "detached" });
      await page.locator("h1").getByText("after").waitFor();
      const settings = page.getByRole("region", { name: "Settings" });
      await settings.getByText("without a bound").waitFor();
    });

    const changed = await console.call<Record<string, unknown>>("GET", `/subscriptions/${id}`);
    expect(changed).toMatchObject({ name: "after", sink: { url: receiver.url }, batch: 1, order: "none" });
    expect(changed["rate"]).toBeUndefined();
    const [row] = await console.runtime.query(`select filter from subscriptions where id = '${id}'`);
    expect(JSON.stringify(row?.["filter"])).toContain("12345678901234567890.50");
    const { entries } = await console.call<{ entries: { action: string; target: string }[] }>("GET", "/audit");
    expect(entries.some(({ action, target }) => action === "subscription.change" && target === id)).toBe(true);
  });
});
