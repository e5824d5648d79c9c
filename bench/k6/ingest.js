/**
 * Puts load on a running Sluice. Needs k6 (https://k6.io, version 1.0 or later) and no other file of this repository:
 *
 *     k6 run -e BASE_URL=https://abc123.execute-api.eu-west-1.amazonaws.com/prod bench/k6/ingest.js
 *
 * First it posts batches of events at a constant rate, independent of the answers. Then it polls for each of these events
 * until it is found. The run fails unless every batch was answered 202, every event was found in time, no batch was left
 * out, and the 95th percentile of the answers stays below its bound. Settings, each with `-e NAME=VALUE`:
 *
 *     BASE_URL       address of the API, without /events                       (required)
 *     RATE           batches per second                                        (10)
 *     SECONDS        duration of posting                                       (30)
 *     BATCH          events per batch, 1 to 1000                               (100)
 *     EVENT_BYTES    minimum size of one event's JSON                          (1024)
 *     P95_MS         bound for the 95th percentile of the answers to posts     (500)
 *     FOUND_WITHIN   seconds within which an event must be found               (30)
 *     HEADERS        further request headers, as a JSON object                 ({})
 *
 * The key is in the environment variable SLUICE_API_KEY: a setting would show it in the list of processes.
 */
import { check, sleep } from "k6";
import exec from "k6/execution";
import http from "k6/http";
import { Rate } from "k6/metrics";

const BASE_URL = (__ENV.BASE_URL || "").replace(/\/$/, "");
const RATE = Number(__ENV.RATE || 10);
const SECONDS = Number(__ENV.SECONDS || 30);
const BATCH = Number(__ENV.BATCH || 100);
const EVENT_BYTES = Number(__ENV.EVENT_BYTES || 1024);
const P95_MS = Number(__ENV.P95_MS || 500);
const FOUND_WITHIN = Number(__ENV.FOUND_WITHIN || 30);
const KEY = __ENV.SLUICE_API_KEY ? { authorization: `Bearer ${__ENV.SLUICE_API_KEY}` } : {};
const HEADERS = { ...KEY, ...JSON.parse(__ENV.HEADERS || "{}") };

if (BASE_URL === "") throw new Error("Name the API with -e BASE_URL=https://…");

/** Batches of the whole run. The scenario lasts a second longer than they need; further iterations do nothing. */
const BATCHES = Math.ceil(RATE * SECONDS);
const SPARE_SECONDS = 1;

/** Enough senders for answers that take a second; k6 adds more when they take longer. */
const SENDERS = Math.max(10, RATE);
const READERS = 20;
const POLL_SECONDS = 0.5;

const accepted = new Rate("batches_accepted");
const found = new Rate("events_found");

export const options = {
  scenarios: {
    send: {
      executor: "constant-arrival-rate",
      exec: "send",
      rate: RATE,
      timeUnit: "1s",
      duration: `${SECONDS + SPARE_SECONDS}s`,
      preAllocatedVUs: SENDERS,
      maxVUs: 10 * SENDERS,
    },
    read: {
      executor: "shared-iterations",
      exec: "read",
      startTime: `${SECONDS + SPARE_SECONDS}s`,
      vus: READERS,
      iterations: BATCHES * BATCH,
      maxDuration: `${FOUND_WITHIN + 60 + BATCHES * BATCH}s`,
    },
  },
  thresholds: {
    batches_accepted: ["rate==1"],
    events_found: ["rate==1"],
    dropped_iterations: ["count==0"],
    "http_req_duration{step:send}": [`p(95)<${P95_MS}`],
  },
};

/** Makes the data for every virtual user. Each run has its own source. */
export function setup() {
  const run = `${Date.now().toString(36)}${Math.random().toString(36).slice(2, 8)}`;
  return { source: `https://k6.example.com/${run}`, sentBy: Date.now() + 1000 * (SECONDS + SPARE_SECONDS) };
}

export function send({ source }) {
  const batch = exec.scenario.iterationInTest;
  if (batch >= BATCHES) return;
  const missing = EVENT_BYTES - JSON.stringify(eventOf(0, source, "")).length;
  const message = "x".repeat(Math.max(0, missing));
  const events = Array.from({ length: BATCH }, (_, index) => eventOf(batch * BATCH + index, source, message));
  const response = http.post(`${BASE_URL}/events`, JSON.stringify(events), {
    headers: { "content-type": "application/json", ...HEADERS },
    tags: { name: "POST /events", step: "send" },
  });
  accepted.add(
    check(response, {
      "batch is answered 202": ({ status }) => status === 202,
      "every event of it is accepted": (answer) => answer.status === 202 && answer.json("accepted") === BATCH,
    }),
  );
}

export function read({ source, sentBy }) {
  const id = idOf(exec.scenario.iterationInTest);
  const deadline = Math.max(Date.now(), sentBy) + 1000 * FOUND_WITHIN;
  let status = ask(id, source);
  while (status !== 200 && Date.now() < deadline) {
    sleep(POLL_SECONDS);
    status = ask(id, source);
  }
  found.add(check(status, { "event is found": (last) => last === 200 }));
}

function ask(id, source) {
  const { status } = http.get(`${BASE_URL}/events/${id}?source=${encodeURIComponent(source)}`, {
    headers: HEADERS,
    tags: { name: "GET /events/{id}", step: "read" },
    responseCallback: http.expectedStatuses(200, 404),
  });
  return status;
}

function eventOf(number, source, message) {
  return { id: idOf(number), source, type: "com.example.log.entry", data: { level: "info", message, service: "k6" } };
}

/** Virtual users share no state, so readers derive the ids that the senders used. */
function idOf(number) {
  return `k6-${String(number).padStart(9, "0")}`;
}
