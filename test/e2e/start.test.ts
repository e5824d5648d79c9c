import { randomUUID } from "node:crypto";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { removeDataDir } from "../contract/support/cluster.ts";
import { eventually, get, post, query, startCommand } from "./support.ts";

let dataDir: string;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "sluice-start-"));
});
afterAll(() => removeDataDir(dataDir));

const event = (id: string) => ({ id, source: "/start", type: "com.example.start", data: {} });

describe("npm start", () => {
  it("keeps rows and queued events over a stop, and stops within five seconds with exit code 0", async () => {
    const [stored, queued] = [randomUUID(), randomUUID()];
    const first = await startCommand(dataDir);
    await post(first.addresses.url, event(stored));
    await eventually(
      () => get(`${first.addresses.url}/events/${stored}`),
      ({ status }) => status === 200,
    );
    await fetch(`${first.addresses.dataApiUrl}/_faults`, {
      method: "PUT",
      body: JSON.stringify([{ kind: "error", error: "DatabaseUnavailableException" }]),
    });
    expect((await post(first.addresses.url, event(queued))).status).toBe(202);

    const asked = performance.now();
    first.child.kill("SIGINT");
    expect(await first.exitCode).toBe(0);
    expect(performance.now() - asked).toBeLessThan(5_000);
    await expect(fetch(first.addresses.url)).rejects.toThrow("fetch failed");

    const second = await startCommand(dataDir);
    try {
      const read = (id: string) =>
        eventually(
          () => get(`${second.addresses.url}/events/${id}`),
          ({ status }) => status === 200,
          30_000,
        );
      await read(stored);
      await read(queued);
      expect(await query(second.addresses.databaseUrl, "select count(*)::int as rows from events")).toEqual([
        { rows: 2 },
      ]);
    } finally {
      second.child.kill("SIGTERM");
    }
    expect(await second.exitCode).toBe(0);
  });

  it("begins anew with --fresh, and ends at once at the second signal", async () => {
    const { child, addresses, exitCode } = await startCommand(dataDir, "--fresh");
    expect(await query(addresses.databaseUrl, "select count(*)::int as rows from events")).toEqual([{ rows: 0 }]);

    child.kill("SIGINT");
    child.kill("SIGINT");

    expect([0, 130]).toContain(await exitCode);
  });

  it("says which process has the data folder already", async () => {
    const { child, exitCode } = await startCommand(dataDir);
    try {
      await expect(startCommand(dataDir)).rejects.toThrow(new RegExp(`error: .*${child.pid}`));
    } finally {
      child.kill("SIGINT");
    }
    expect(await exitCode).toBe(0);
  });
});
