import { CONSUME_WINDOW_SECONDS } from "../../functions/core/function-limits.ts";
import {
  CLAIM_MAX_OF_ONE,
  DELIVERIES_IN_FLIGHT,
  DELIVERY_TIMEOUT_DEFAULT_MS,
  IN_FLIGHT_OF_ONE,
} from "../../functions/core/subscription-limits.ts";
import type { Benchmark, BenchOptions, BenchReport } from "../benchmark.ts";
import { figure } from "../plot.ts";
import { type Pipeline, startPipeline } from "../pipeline/pipeline.ts";
import { measureAlternately, ratios, type Series, spread } from "../rounds.ts";
import { type BareLoop, startBareLoop } from "./bare-loop.ts";
import { deliverAll, deliverAtRate } from "./deliveries.ts";
import { type Received, type Receiver, startReceiver } from "./receiver.ts";
import { subscribe, unsubscribe } from "./subscriptions.ts";

/** Of the load, as in the other benchmarks of the whole stack. */
const PER_REQUEST = 100;

/** B21 to B23. */
export const notifyBenchmark: Benchmark = {
  name: "notify",
  title: "Delivering events",
  about:
    "Events of 1 KB, posted to the whole local stack and delivered as signed webhooks to a receiver in a process of its own, which " +
    "reads them and answers 204. The bare loop is a loop of `fetch` with as many requests at once " +
    `(${IN_FLIGHT_OF_ONE}, and ${DELIVERIES_IN_FLIGHT} for ten subscriptions) that posts the same bodies and headers to the same ` +
    "receiver; it stores and signs nothing. Both are counted from the first webhook to the last, on the same cores; ours with the requests, " +
    "the functions, the local runtime and the database, also while it stores further events. The second figure has the batch window " +
    "before the first webhook as well. The dead sink is the hundredth subscription: one " +
    `that accepts requests and never answers (its attempts end after ${DELIVERY_TIMEOUT_DEFAULT_MS / 1_000} s, which no round ` +
    "reaches), and one that refuses connections. Times are from the row of an event to its last byte at the receiver.",
  run: measureNotify,
};

/** As fast as they go: each event to one subscription, and to ten. */
const ALL = [
  { sinks: 1, events: 4_000, reached: 0.2 },
  { sinks: 10, events: 1_000 },
];
const QUICK_SHARE = 0.1;

/** Beside a dead sink: each event to a hundred subscriptions. */
const BESIDE = { sinks: 100, eventsPerSecond: 2, perRequest: 1 };

/** Deliveries a second; fewer where the machine does not deliver that many by far enough. */
const RATE = { mostPerSecond: 500, shareOfMost: 0.8 };
const RATE_SHAPES = [
  { sinks: 1, perRequest: PER_REQUEST },
  { sinks: 10, perRequest: 10 },
];

const COSTS =
  "over all processes a delivery takes 0.43 ms of processor time where the bare loop and its receiver take 0.17 ms: in notify 0.19 ms, " +
  "of which the Ed25519 signature takes a fifth and the writing to sockets an eighth; in PostgreSQL 0.15 ms for the row, its claim, its result " +
  "and its attempt with their index entries; the rest in ingest, consume, Data API and receiver. Notify waits for two fifths of the time: a " +
  "worker writes results and claims in one call, and these calls follow one another. With one subscription an event is stored for each " +
  `delivery, which makes it 0.8 ms, and each claim waits for results, because workers have ${CLAIM_MAX_OF_ONE} of it at most`;

async function measureNotify(options: BenchOptions): Promise<BenchReport> {
  const receiver = await startReceiver();
  const bare = startBareLoop();
  try {
    const pipeline = await startPipeline("ours", { allowHttpSinks: true });
    try {
      return await measureIn({ pipeline, receiver, bare }, options);
    } finally {
      await pipeline.stop();
    }
  } finally {
    await Promise.all([receiver.stop(), bare.stop()]);
  }
}

type Parts = { pipeline: Pipeline; receiver: Receiver; bare: BareLoop };

async function measureIn(parts: Parts, options: BenchOptions): Promise<BenchReport> {
  const shown = async (measuring: Promise<Series>) => {
    const series = await measuring;
    for (const { name, figures } of series.contenders)
      options.log(`${series.shape}: ${name} ${figure(spread(figures).median)} ${series.unit}`);
    return series;
  };
  const all: Series[] = [];
  for (const shape of ALL) all.push(await shown(measureAll(parts, shape, options)));
  const atRates: Series[] = [];
  for (const [place, shape] of RATE_SHAPES.entries()) {
    const most = all[place]?.contenders.find(({ name }) => name === SLUICE)?.figures ?? [];
    const enough = Math.floor((RATE.shareOfMost * spread(most).median) / PER_REQUEST) * PER_REQUEST;
    const perSecond = Math.max(Math.min(RATE.mostPerSecond, enough), PER_REQUEST);
    atRates.push(await shown(measureAtRate(parts, { ...shape, perSecond }, options)));
  }
  const beside = await shown(measureBeside(parts, options));
  return {
    series: [...all, ...atRates, beside],
    checks: [
      ...all.map((series, place) => ({
        id: "B21",
        what: `deliveries a second, ${series.shape}`,
        against: "a bare `fetch` loop",
        ratios: ratios(series, SLUICE, BARE),
        floor: { atLeast: 0.5 },
        reached: { bound: ALL[place]?.reached ?? 0.5, because: COSTS },
      })),
      ...[SILENT, REFUSING].map((dead) => ({
        id: "B22",
        what: `stored to received, p99 of ${BESIDE.sinks - 1} sinks beside ${dead}`,
        against: `beside ${ALIVE}`,
        ratios: ratios(beside, dead, ALIVE),
        floor: { atMost: 1.1 },
      })),
      ...atRates.map(({ shape, contenders: [p99] }) => ({
        id: "B23",
        what: `stored to received, p99, ${shape}`,
        against: "batch window + 1 s",
        ratios: (p99?.figures ?? []).map((seconds) => seconds / (CONSUME_WINDOW_SECONDS + 1)),
        floor: { atMost: 1 },
      })),
    ],
    notes: [],
  };
}

const SLUICE = "Sluice";
const BARE = "bare fetch loop";

async function measureAll(
  { pipeline, receiver, bare }: Parts,
  shape: (typeof ALL)[number],
  { rounds, quick, log }: BenchOptions,
): Promise<Series> {
  const events = shape.events * (quick ? QUICK_SHARE : 1);
  const requests = events * shape.sinks;
  const concurrency = Math.min(DELIVERIES_IN_FLIGHT, IN_FLIGHT_OF_ONE * shape.sinks);
  log(`${requests} deliveries a round, ${toSubscriptions(shape.sinks)}`);
  return withSinks({ pipeline, receiver }, shape.sinks, async (sinks) => {
    let last: Received | undefined;
    const fromRequests: number[] = [];
    const round = async () => {
      const { perSecond, fromRequest, received } = await deliverAll(
        { pipeline, receiver, sinks },
        { events, perRequest: PER_REQUEST },
      );
      last = received;
      fromRequests.push(fromRequest);
      return perSecond;
    };
    // Its webhooks are those of the bare loop.
    await round();
    const bareRound = async () => {
      const webhooks = last?.samples ?? [];
      return bare.run({ url: `${receiver.url}/sinks/bare`, webhooks, requests, concurrency });
    };
    const contenders = [
      { name: SLUICE, round },
      { name: BARE, round: bareRound },
    ];
    const series = await measureAlternately(toSubscriptions(shape.sinks), "deliveries/s", contenders, {
      rounds,
      warmUps: 1,
    });
    const whole = { name: "Sluice, from the first request", figures: fromRequests.slice(-rounds) };
    return { ...series, contenders: [...series.contenders, whole] };
  });
}

async function measureAtRate(
  { pipeline, receiver }: Parts,
  { sinks: count, perSecond, perRequest }: (typeof RATE_SHAPES)[number] & { perSecond: number },
  { rounds, quick, log }: BenchOptions,
): Promise<Series> {
  const eventsPerSecond = perSecond / count;
  log(`${eventsPerSecond} events/s, ${toSubscriptions(count)}`);
  return withSinks({ pipeline, receiver }, count, async (sinks) => {
    const seconds = quick ? 3 : 10;
    const [p99s, p50s]: [number[], number[]] = [[], []];
    for (let round = -1; round < rounds; round++) {
      const { p99, p50 } = await deliverAtRate({ pipeline, receiver, sinks }, { eventsPerSecond, seconds, perRequest });
      if (round < 0) continue;
      p99s.push(p99 / 1_000);
      p50s.push(p50 / 1_000);
    }
    return {
      shape: `${perSecond} deliveries/s, ${toSubscriptions(count)}`,
      unit: "s",
      contenders: [
        { name: "stored to received, p99", figures: p99s },
        { name: "stored to received, p50", figures: p50s },
      ],
    };
  });
}

const ALIVE = "one that answers";
const SILENT = "one that never answers";
const REFUSING = "one that refuses connections";

async function measureBeside({ pipeline, receiver }: Parts, { rounds, quick, log }: BenchOptions): Promise<Series> {
  const { eventsPerSecond } = BESIDE;
  log(`${eventsPerSecond} events/s to ${BESIDE.sinks} subscriptions`);
  return withSinks({ pipeline, receiver }, BESIDE.sinks - 1, async (sinks) => {
    const seconds = quick ? 3 : 8;
    const beside = (url: string) => async () => {
      const last = await subscribe(pipeline, "last", url);
      try {
        const { p99 } = await deliverAtRate({ pipeline, receiver, sinks }, { ...BESIDE, seconds });
        return p99 / 1_000;
      } finally {
        await unsubscribe(pipeline, last);
        // Ends what the sink holds, which would take part in the next round.
        await receiver.take();
      }
    };
    const contenders = [
      { name: ALIVE, round: beside(`${receiver.url}/last`) },
      { name: SILENT, round: beside(`${receiver.silentUrl}/last`) },
      { name: REFUSING, round: beside(`${receiver.refusingUrl}/last`) },
    ];
    const shape = `${BESIDE.sinks} subscriptions, ${eventsPerSecond * BESIDE.sinks} deliveries/s`;
    return measureAlternately(shape, "s, p99", contenders, { rounds, warmUps: 1 });
  });
}

const toSubscriptions = (count: number) => `each event to ${count === 1 ? "1 subscription" : `${count} subscriptions`}`;

/** Makes subscriptions for some work, and removes them after it. The work gets the paths of their sinks. */
async function withSinks<Result>(
  { pipeline, receiver }: Omit<Parts, "bare">,
  count: number,
  work: (sinks: ReadonlySet<string>) => Promise<Result>,
): Promise<Result> {
  const made: string[] = [];
  const paths = Array.from({ length: count }, (_, number) => `/sinks/${number}`);
  try {
    for (const path of paths) made.push(await subscribe(pipeline, path, `${receiver.url}${path}`));
    return await work(new Set(paths));
  } finally {
    for (const id of made) await unsubscribe(pipeline, id);
  }
}
