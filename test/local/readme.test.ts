import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { startTestRuntime, type TestRuntime } from "../support/runtime.ts";

let runtime: TestRuntime;
beforeAll(async () => {
  runtime = await startTestRuntime();
});
afterAll(() => runtime?.remove());

/** The curl lines of the README, as requests to the runtime under test. */
function curlLines(): { url: string; init: RequestInit }[] {
  return [...readFileSync("README.md", "utf8").matchAll(/^curl .*$/gm)].map(([line]) => {
    const url = /http:\/\/127\.0\.0\.1:4800(\S*)/.exec(line)?.[1] ?? "";
    // The shell puts the file of the data folder in place of the command.
    const key = readFileSync(join(runtime.dataDir, "api-key"), "utf8").trim();
    const sent = line.replace("$(cat .sluice/api-key)", key).matchAll(/-H (["'])([^:]+): (.+?)\1/g);
    const headers = Object.fromEntries([...sent].map(([, , name, value]) => [name, value]));
    const body = /-d '([^']+)'/.exec(line)?.[1];
    return {
      url: `${runtime.addresses.url}${url}`,
      init: { headers, ...(body !== undefined && { method: "POST", body }) },
    };
  });
}

describe("README", () => {
  it("sends and reads an event with its curl lines", async () => {
    const [send, read] = curlLines();

    const accepted = await fetch(send?.url ?? "", send?.init);
    const found = await eventually(
      () => fetch(read?.url ?? "", read?.init),
      ({ status }) => status === 200,
    );

    expect(accepted.status).toBe(202);
    expect(await found.json()).toMatchObject(JSON.parse(String(send?.init.body)) as object);
  });

  it("shows an answer as the API gives it", async () => {
    const [send] = curlLines();
    const order = JSON.parse(String(send?.init.body)) as { data: Record<string, unknown> };
    const { currency: _currency, ...withoutCurrency } = order.data;
    const shown = /```json\n(\{\n {2}"accepted"[^`]*)```/.exec(readFileSync("README.md", "utf8"))?.[1] ?? "";

    const answer = await fetch(send?.url ?? "", {
      ...send?.init,
      body: JSON.stringify([order, { ...order, id: "order-2", data: withoutCurrency }]),
    });

    expect(answer.status).toBe(207);
    expect(await answer.json()).toEqual(JSON.parse(shown));
  });

  it("can add the stage's name to the URL, as it stands in that of a deployed API", async () => {
    expect((await fetch(`${runtime.addresses.url}/dev/health`)).status).toBe(200);
  });
});
