import { buildSync } from "esbuild";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { catalog } from "../../../functions/adapters/catalog/catalog.ts";

type Response = { status: number; json: (path: string) => unknown };
type Script = {
  options: { scenarios: Record<"send" | "read", Record<string, unknown>>; thresholds: Record<string, string[]> };
  setup: () => { source: string; sentBy: number };
  send: (data: { source: string }) => void;
  read: (data: { source: string; sentBy: number }) => void;
};
type Sent = { id: string; source: string; type: string; data: object };

/** Runs the script with stubs of k6's modules, without a network. */
function load(environment: Record<string, string>) {
  const { text = "" } =
    buildSync({
      entryPoints: ["bench/k6/ingest.js"],
      bundle: true,
      format: "cjs",
      external: ["k6", "k6/*"],
      write: false,
    }).outputFiles[0] ?? {};
  const rates: Record<string, boolean[]> = {};
  const posts: { url: string; events: Sent[] }[] = [];
  const answers = {
    post: (count: number): Response => ({ status: 202, json: () => count }),
    get: (_url: string): number => 200,
  };
  const scenario = { iterationInTest: 0 };
  const modules: Record<string, object> = {
    k6: {
      check: <T>(value: T, checks: Record<string, (value: T) => boolean>) =>
        Object.values(checks).every((holds) => holds(value)),
      sleep: (seconds: number) => vi.advanceTimersByTime(1_000 * seconds),
    },
    "k6/execution": { scenario },
    "k6/http": {
      post: (url: string, body: string) => {
        const events = JSON.parse(body) as Sent[];
        posts.push({ url, events });
        return answers.post(events.length);
      },
      get: (url: string) => ({ status: answers.get(url) }),
      expectedStatuses: () => undefined,
    },
    "k6/metrics": {
      Rate: class {
        readonly values: boolean[];
        constructor(name: string) {
          this.values = rates[name] = [];
        }
        add(value: boolean) {
          this.values.push(value);
        }
      },
    },
  };
  const script = { exports: {} as Script };
  // oxlint-disable-next-line no-new-func, typescript/no-implied-eval -- k6's modules exist in k6 only
  new Function("require", "module", "exports", "__ENV", text)(
    (name: string) => modules[name],
    script,
    script.exports,
    environment,
  );
  const run = (step: "send" | "read", count: number, data: { source: string; sentBy: number }) => {
    for (let iteration = 0; iteration < count; iteration++) {
      scenario.iterationInTest = iteration;
      script.exports[step](data);
    }
  };
  return { ...script.exports, run, rates, posts, answers };
}

const settings = { BASE_URL: "https://api.example.com/prod/", RATE: "4", SECONDS: "3", BATCH: "5" };

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe("the k6 script", () => {
  it("the k6 script posts batches at a constant rate, then polls for all their events", () => {
    const { scenarios } = load(settings).options;

    expect(scenarios.send).toMatchObject({
      executor: "constant-arrival-rate",
      rate: 4,
      timeUnit: "1s",
      duration: "4s",
    });
    expect(scenarios.read).toMatchObject({ executor: "shared-iterations", startTime: "4s", iterations: 60 });
  });

  it("the k6 script polls for exactly the events it sent, even if k6 starts one iteration too many", () => {
    const script = load(settings);
    const data = script.setup();
    const asked: string[] = [];
    script.answers.get = (url) => {
      asked.push(url);
      return 200;
    };

    script.run("send", 14, data);
    script.run("read", 60, data);

    expect(script.posts.map(({ url }) => url)).toStrictEqual(
      Array.from({ length: 12 }, () => "https://api.example.com/prod/events"),
    );
    const source = encodeURIComponent(data.source);
    const sent = script.posts.flatMap(({ events }) =>
      events.map(({ id }) => `https://api.example.com/prod/events/${id}?source=${source}`),
    );
    expect(asked).toStrictEqual(sent);
    expect(script.rates["batches_accepted"]).toStrictEqual(Array.from({ length: 12 }, () => true));
    expect(script.rates["events_found"]).toStrictEqual(Array.from({ length: 60 }, () => true));
  });

  it("the k6 script polls until an event is found", () => {
    const script = load(settings);
    const statuses = [404, 429, 404, 200];
    script.answers.get = () => statuses.shift() ?? 500;

    script.run("read", 1, script.setup());

    expect(script.rates["events_found"]).toStrictEqual([true]);
  });

  it("the k6 script counts an event as not found after FOUND_WITHIN", () => {
    const script = load({ ...settings, FOUND_WITHIN: "5" });
    const data = script.setup();
    script.answers.get = () => 404;
    const started = Date.now();

    script.run("read", 1, data);

    expect(script.rates["events_found"]).toStrictEqual([false]);
    // Three seconds of sending, one to spare, and five.
    expect(Date.now() - started).toBe(9_000);
  });

  it.each([
    ["another status", { status: 207, json: () => 5 }],
    ["fewer events", { status: 202, json: () => 4 }],
  ])("the k6 script counts a batch with %s as not accepted", (_, answer) => {
    const script = load(settings);
    script.answers.post = () => answer;

    script.run("send", 1, script.setup());

    expect(script.rates["batches_accepted"]).toStrictEqual([false]);
  });

  it("the k6 script makes events of the given size, of a type in the catalog", () => {
    const script = load({ ...settings, EVENT_BYTES: "1024" });

    script.run("send", 1, script.setup());

    const events = script.posts.flatMap((post) => post.events);
    expect(events.map((event) => JSON.stringify(event).length)).toStrictEqual(events.map(() => 1_024));
    for (const { type, data } of events) expect(catalog.get(type)?.[0]?.data.safeParse(data).success).toBe(true);
  });

  it("the k6 script fails the run for any batch or event", () => {
    expect(load({ ...settings, P95_MS: "250" }).options.thresholds).toStrictEqual({
      batches_accepted: ["rate==1"],
      events_found: ["rate==1"],
      dropped_iterations: ["count==0"],
      "http_req_duration{step:send}": ["p(95)<250"],
    });
  });

  it("the k6 script refuses to run without the address of the API", () => {
    expect(() => load({})).toThrow("BASE_URL");
  });
});
