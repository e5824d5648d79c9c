import { AGGREGATE_MAX_ROWS } from "../core/aggregate-limits.ts";
import { type ErrorCode, errorTable, problemDocument } from "../core/errors.ts";
import type { OperationId } from "../routes/routes.ts";
import {
  auditPage,
  madeKey,
  newKeys,
  rotatedKey,
  rotations,
  tenant,
  tenantChanges,
  usedKey,
} from "./access-examples.ts";
import { consoleSession, exampleCode } from "./console-examples.ts";
import { deadLetter, deadLetterGroup, wholeDeadLetter } from "./dead-letter-examples.ts";
import {
  accepted,
  cloudEvent,
  exampleCursor,
  missingCurrency,
  order,
  orderData,
  page,
  reading,
  stored,
  types,
} from "./event-examples.ts";
import { doneExport, exportJob, newExports } from "./export-examples.ts";
import { hold, holdReleases, newHolds, releasedHold } from "./hold-examples.ts";
import { discard, doneReplay, newDiscards, newReplays, replay, replayPlan } from "./replay-examples.ts";
import { doneErasure, erasurePlan, newErasures, waitingErasure } from "./erasure-examples.ts";
import { archivedEvent, doneRestore, newRestores, restore, restorePlan } from "./restore-examples.ts";
import { alarms, history, refusals, status } from "./status-examples.ts";
import { retentionPlan } from "./retention-examples.ts";
import {
  attempt,
  disabledSubscription,
  doneRedelivery,
  failedDelivery,
  failureGroup,
  ledger,
  newRedeliveries,
  newSubscriptions,
  redelivery,
  secret,
  secretRotations,
  seeks,
  subscription,
  subscriptionChanges,
  subscriptionTests,
} from "./subscription-examples.ts";

/** Examples of the OpenAPI document. A test sends each request to ingest and parses each answer. */

type Example = { summary: string; value: unknown };

/** Bodies by operation and content type; of binary mode the attributes are in `binaryModeHeaders`. */
export const requests: Partial<Record<OperationId, Record<string, Record<string, Example>>>> = {
  sendEvents: {
    "application/json": {
      one: { summary: "One event", value: order },
      many: { summary: "An array of events", value: [order, reading] },
    },
    "application/x-ndjson": {
      lines: { summary: "One event a line", value: `${JSON.stringify(order)}\n${JSON.stringify(reading)}\n` },
    },
    "application/cloudevents+json": { one: { summary: "One CloudEvent", value: cloudEvent } },
    "application/cloudevents-batch+json": {
      many: { summary: "A batch of CloudEvents", value: [cloudEvent, { specversion: "1.0", ...reading }] },
    },
    "*/*": { data: { summary: "Data of an event whose attributes are in ce- headers", value: orderData } },
  },
  aggregateEvents: {
    "application/json": {
      percentiles: {
        summary: "Readings of each day and their 95th percentile",
        value: {
          filter: { exact: { type: reading.type } },
          from: "2026-11-01T00:00:00+01:00",
          to: "2026-12-01T00:00:00+01:00",
          every: "P1D",
          timeZone: "Europe/Berlin",
          groupBy: ["type"],
          measures: ["count", { p95: "/data/value" }],
        },
      },
    },
  },
  queryDeadLetters: {
    "application/json": {
      large: {
        summary: "Open dead letters of orders over a hundred",
        value: { filter: { data: { total: [{ numeric: [">", 100] }] } }, reason: "constraint_violation", limit: 10 },
      },
    },
  },
  signIn: {
    "application/json": {
      code: { summary: "The code behind `#` in the address of the page", value: { code: exampleCode } },
    },
  },
  queryEvents: {
    "application/json": {
      orders: {
        summary: "The newest orders over 100",
        value: {
          filter: {
            all: [{ exact: { type: order.type } }, { data: { total: [{ numeric: [">=", 100] }] } }],
          },
          from: "2026-11-21T00:00:00Z",
          limit: 100,
        },
      },
    },
  },
  createKey: { "application/json": newKeys },
  rotateKey: { "application/json": rotations },
  putTenant: { "application/json": tenantChanges },
  startExport: { "application/json": newExports },
  startReplay: { "application/json": newReplays },
  startErasure: { "application/json": newErasures },
  startRestore: { "application/json": newRestores },
  createHold: { "application/json": newHolds },
  releaseHold: { "application/json": holdReleases },
  discardDeadLetters: { "application/json": newDiscards },
  createSubscription: { "application/json": newSubscriptions },
  changeSubscription: { "application/json": subscriptionChanges },
  seekSubscription: { "application/json": seeks },
  rotateSecret: { "application/json": secretRotations },
  startRedelivery: { "application/json": newRedeliveries },
  testSubscription: { "application/json": subscriptionTests },
};

/** Path and query parameters by operation. */
export const parameters: Partial<Record<OperationId, Record<string, string>>> = {
  readEvent: { id: stored.id, source: stored.source },
  readSchema: { type: stored.type },
  consoleFile: { file: "app-4QZ7TK2A.js" },
  readKey: { id: usedKey.id },
  revokeKey: { id: usedKey.id },
  rotateKey: { id: usedKey.id },
  readDeadLetter: { id: deadLetter.id },
  readExport: { id: exportJob.id },
  cancelExport: { id: exportJob.id },
  readReplay: { id: replay.id },
  cancelReplay: { id: replay.id },
  readErasure: { id: waitingErasure.id },
  cancelErasure: { id: waitingErasure.id },
  readRestore: { id: restore.id },
  readRestoredEvents: { id: restore.id },
  cancelRestore: { id: restore.id },
  readHold: { id: hold.id },
  releaseHold: { id: hold.id },
  readSubscription: { id: subscription.id },
  changeSubscription: { id: subscription.id },
  deleteSubscription: { id: subscription.id },
  seekSubscription: { id: subscription.id },
  disableSubscription: { id: subscription.id },
  enableSubscription: { id: subscription.id },
  rotateSecret: { id: subscription.id },
  listAttempts: { id: subscription.id },
  listDeliveries: { id: subscription.id },
  groupFailures: { id: subscription.id },
  startRedelivery: { id: subscription.id },
  listRedeliveries: { id: subscription.id },
  readRedelivery: { id: subscription.id, retryId: redelivery.id },
  cancelRedelivery: { id: subscription.id, retryId: redelivery.id },
  readTenant: { tenant: tenant.tenant },
  putTenant: { tenant: tenant.tenant },
};

/** Successful answers by operation and status. */
export const answers: Partial<Record<OperationId, Record<number, unknown>>> = {
  sendEvents: {
    202: { accepted: 1, rejected: 0, results: [accepted] },
    207: { accepted: 1, rejected: 1, results: [accepted, missingCurrency] },
    422: { accepted: 0, rejected: 1, results: [{ ...missingCurrency, index: 0 }] },
  },
  readEvent: { 200: stored },
  aggregateEvents: {
    200: {
      rows: [{ bucket: "2026-11-21T00:00:00+01:00", type: reading.type, count: "12", "p95:/data/value": "71.5" }],
      metadata: {
        from: "rollup",
        complete: true,
        reached: "2026-11-30T23:00:00.000Z",
        truncated: false,
        rows: 1,
        rowLimit: AGGREGATE_MAX_ROWS,
        percentileError: 0.01,
        queryMs: 31,
      },
    },
  },
  listEvents: { 200: page },
  queryEvents: { 200: page },
  readFeed: { 200: { events: [stored], next: exampleCursor, lagMs: 0 } },
  listTypes: { 200: types },
  health: { 200: { status: "ok" } },
  createKey: { 201: madeKey },
  listKeys: { 200: { keys: [usedKey], next: `acme/${usedKey.id}` } },
  readKey: { 200: usedKey },
  rotateKey: { 201: rotatedKey },
  startExport: {
    200: { rows: 250_000, relation: "estimate", sample: [stored] },
    202: { ...exportJob, state: "queued", horizon: undefined, rows: 0, scanned: 0, bytes: 0, parts: 0 },
  },
  listExports: { 200: { exports: [exportJob] } },
  listDeadLetters: { 200: { deadLetters: [deadLetter], next: null } },
  queryDeadLetters: { 200: { deadLetters: [deadLetter], next: null } },
  groupDeadLetters: { 200: { groups: [deadLetterGroup] } },
  readDeadLetter: { 200: wholeDeadLetter },
  readExport: { 200: doneExport },
  startReplay: { 200: replayPlan, 202: { ...replay, taken: 0, sent: 0, progressAt: replay.createdAt } },
  discardDeadLetters: { 200: replayPlan, 202: { ...discard, taken: 0, sent: 0, progressAt: discard.createdAt } },
  listReplays: { 200: { replays: [{ ...doneReplay, request: undefined }] } },
  readReplay: { 200: doneReplay },
  cancelReplay: { 200: { ...replay, cancelling: true } },
  startErasure: { 200: erasurePlan, 202: waitingErasure },
  listErasures: { 200: { erasures: [doneErasure] } },
  readErasure: { 200: doneErasure },
  cancelErasure: {
    200: { ...waitingErasure, state: "cancelled", startsAt: undefined, finishedAt: "2026-11-28T09:30:04.000Z" },
  },
  startRestore: {
    200: restorePlan,
    202: { ...restore, read: 0, matched: 0, restored: 0, present: 0, progressAt: restore.createdAt },
  },
  listRestores: { 200: { restores: [{ ...doneRestore, manifests: undefined, request: undefined }] } },
  readRestore: { 200: doneRestore },
  readRestoredEvents: { 200: { events: [archivedEvent] } },
  cancelRestore: { 200: { ...restore, cancelling: true } },
  createHold: { 201: { ...hold, matches: { count: 1, complete: true, events: [stored] } } },
  listHolds: { 200: { holds: [releasedHold] } },
  readHold: { 200: hold },
  releaseHold: { 200: releasedHold },
  cancelExport: { 200: { ...exportJob, state: "cancelled", finishedAt: "2026-11-28T09:30:40.000Z" } },
  createSubscription: {
    201: { ...subscription, ...secret, matches: { count: 1, complete: true, events: [stored] } },
  },
  listSubscriptions: { 200: { subscriptions: [subscription], next: null } },
  testSubscription: {
    200: {
      matches: false,
      why: [{ pointer: "/all/1/data/total", message: 'must meet one of [{"numeric":[">=",100]}]; the event has 9.5' }],
    },
  },
  readSubscription: { 200: { ...subscription, ledger } },
  changeSubscription: { 200: { ...subscription, rate: 10, filter: undefined } },
  seekSubscription: { 200: subscription },
  disableSubscription: { 200: disabledSubscription },
  enableSubscription: { 200: subscription },
  rotateSecret: { 200: { ...subscription, ...secret } },
  listAttempts: { 200: { attempts: [attempt], next: exampleCursor } },
  listDeliveries: { 200: { deliveries: [failedDelivery], next: null } },
  groupFailures: { 200: { groups: [failureGroup] } },
  startRedelivery: {
    200: { state: "planned", planned: 30, until: "2026-11-21T09:30:05.482117Z", sample: [failedDelivery] },
    202: { ...redelivery, taken: 0, delivered: 0 },
  },
  listRedeliveries: { 200: { retries: [doneRedelivery], next: null } },
  readRedelivery: { 200: doneRedelivery },
  cancelRedelivery: { 200: { ...redelivery, state: "cancelled", finishedAt: "2026-11-29T08:00:05.000Z" } },
  createCode: { 201: { code: exampleCode, expiresAt: "2026-11-28T09:35:00.000Z" } },
  signIn: { 201: { expiresAt: "2026-11-28T17:30:00.000Z" } },
  readSession: { 200: consoleSession },
  readStatus: { 200: status },
  readHistory: { 200: history },
  readAlarms: { 200: alarms },
  listRefusals: { 200: refusals },
  readRetention: { 200: retentionPlan },
  listTenants: { 200: { tenants: [tenant] } },
  readTenant: { 200: tenant },
  putTenant: { 200: { ...tenant, state: "suspended" }, 201: tenant },
  readAudit: { 200: auditPage },
};

/** Members of problems beside those that all have. */
const members: Partial<Record<ErrorCode, Record<string, unknown>>> = {
  ambiguous_id: { sources: ["/shop", "/shop/eu"] },
  queue_unavailable: { results: [{ ...accepted, status: "retry" }] },
  not_all_enqueued: { results: [accepted, { index: 1, id: "order-2", status: "retry" }] },
  no_such_type: { types: [order.type, reading.type] },
  no_such_version: { dataschemas: ["https://schemas.example.com/order-placed/1"] },
};

export function problemExample(code: ErrorCode) {
  const { title } = errorTable[code];
  const requestId = "3c0f7b1e-5a52-4a4f-9c1d-0e6f2b9d8a77";
  return { summary: title, value: problemDocument(code, { detail: `${title}.`, requestId, ...members[code] }) };
}
