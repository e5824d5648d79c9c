import { badParameter } from "../core/bad-parameter.ts";
import { ANSWER_RESERVE_MS } from "../core/function-limits.ts";
import type { FilterableEvent } from "../core/filter/predicate.ts";
import { filterFromBody } from "../core/filter/from-body.ts";
import type { HttpResponse } from "../core/http.ts";
import { readOnce } from "../core/idempotency.ts";
import { parseLossless } from "../core/lossless-json.ts";
import type { Principal } from "../core/principal.ts";
import { readBody } from "../core/read-body.ts";
import {
  newRedelivery,
  newSubscription,
  secretRotation,
  seekBody,
  storedEventKey,
  subscriptionChanges,
  subscriptionTest,
} from "../core/subscription-bodies.ts";
import {
  ATTEMPTS_PAGE,
  REDELIVERIES_PAGE,
  SUBSCRIPTION_ANSWER_MS,
  SUBSCRIPTION_BODY_MAX_BYTES,
  SUBSCRIPTION_TEST_MAX_BYTES,
  SUBSCRIPTIONS_PAGE,
} from "../core/subscription-limits.ts";
import type { notifyRoutes } from "../routes/notify.ts";
import type { Handlers } from "../routes/route.ts";
import {
  toAnswer,
  toAttemptAnswer,
  toDeliveryAnswer,
  toGroupAnswer,
  toRedeliveryAnswer,
  writeMade,
} from "./answers.ts";
import type { TestedEvent } from "./explain-match.ts";
import type { Caller } from "./find-subscription.ts";
import { createNotify, type NotifyDeps } from "./notify.ts";
import { malformed, toFailureSelection, toInstant, toWanted, toWantedChanges } from "./to-request.ts";

/** Answers the routes of notify. */
export function createNotifyEndpoints(deps: NotifyDeps): Handlers<typeof notifyRoutes> {
  const { create, test, subscriptions, secrets, deliveries, redeliveries } = createNotify(deps);

  /** A round of deliveries of the same function has longer than an answer. */
  const deadlineOf = ({ deadline }: { deadline: number }) =>
    Math.min(deadline - ANSWER_RESERVE_MS, deps.clock().getTime() + SUBSCRIPTION_ANSWER_MS);

  return {
    createSubscription: async (request) => {
      const body = readBody(newSubscription, request, SUBSCRIPTION_BODY_MAX_BYTES);
      const wanted = toWanted(body, request.body);
      const made = await create(callerOf(request), wanted, deadlineOf(request));
      const headers = { ...NEVER_KEPT, location: `subscriptions/${made.subscription.id}` };
      return { status: 201, headers, body: writeMade(made) };
    },

    listSubscriptions: async (request) => {
      const page = pageOf(request.query, SUBSCRIPTIONS_PAGE);
      const { items, next } = await subscriptions.list(callerOf(request), page, deadlineOf(request));
      return ok({ subscriptions: items.map(toAnswer), next });
    },

    testSubscription: async (request) => {
      const body = readBody(subscriptionTest, request, SUBSCRIPTION_TEST_MAX_BYTES);
      const filter = filterFromBody(request.body);
      const why = await test(
        callerOf(request),
        { of: testedBy(filter, body.subscription), event: toTestedEvent(body.event, request.body) },
        deadlineOf(request),
      );
      return ok({ matches: why.length === 0, why });
    },

    readSubscription: async (request) => {
      const { id } = request.parameters;
      const { ledger, ...found } = await subscriptions.read(callerOf(request), id, deadlineOf(request));
      return ok({ ...toAnswer(found), ledger });
    },

    changeSubscription: async (request) => {
      const body = readBody(subscriptionChanges, request, SUBSCRIPTION_BODY_MAX_BYTES);
      const changes = toWantedChanges(body, request.body);
      const { id } = request.parameters;
      return ok(toAnswer(await subscriptions.change(callerOf(request), id, changes, deadlineOf(request))));
    },

    deleteSubscription: async (request) => {
      await subscriptions.remove(callerOf(request), request.parameters.id, deadlineOf(request));
      return { status: 204, body: "" };
    },

    seekSubscription: async (request) => {
      const { from } = readBody(seekBody, request, SUBSCRIPTION_BODY_MAX_BYTES);
      const { id } = request.parameters;
      return ok(toAnswer(await subscriptions.seek(callerOf(request), id, from, deadlineOf(request))));
    },

    disableSubscription: async (request) =>
      ok(toAnswer(await subscriptions.disable(callerOf(request), request.parameters.id, deadlineOf(request)))),

    enableSubscription: async (request) =>
      ok(toAnswer(await subscriptions.enable(callerOf(request), request.parameters.id, deadlineOf(request)))),

    rotateSecret: async (request) => {
      const { overlapHours } =
        request.body.length === 0
          ? secretRotation.parse({})
          : readBody(secretRotation, request, SUBSCRIPTION_BODY_MAX_BYTES);
      const { id } = request.parameters;
      const rotated = await secrets.rotate(callerOf(request), id, overlapHours, deadlineOf(request));
      return ok({ ...toAnswer(rotated.subscription), ...rotated.secret }, NEVER_KEPT);
    },

    listAttempts: async (request) => {
      const { status, code, event: eventId } = request.query;
      const [from, to] = [toInstant(request.query.from), toInstant(request.query.to)];
      if (from !== undefined && to !== undefined && from >= to) throw badParameter("from", "is not before to");
      const { items, next } = await deliveries.attempts(
        callerOf(request),
        request.parameters.id,
        { status, code, eventId, from, to },
        pageOf(request.query, ATTEMPTS_PAGE),
        deadlineOf(request),
      );
      return ok({ attempts: items.map(toAttemptAnswer), next });
    },

    listDeliveries: async (request) => {
      const { state, event: eventId } = request.query;
      const { items, next } = await deliveries.list(
        callerOf(request),
        request.parameters.id,
        { state, eventId },
        pageOf(request.query, ATTEMPTS_PAGE),
        deadlineOf(request),
      );
      return ok({ deliveries: items.map(toDeliveryAnswer), next });
    },

    groupFailures: async (request) => {
      const groups = await deliveries.failures(callerOf(request), request.parameters.id, deadlineOf(request));
      return ok({ groups: groups.map(toGroupAnswer) });
    },

    startRedelivery: async (request) => {
      const { dryRun = false, planned: most, ...body } = readBody(newRedelivery, request, SUBSCRIPTION_BODY_MAX_BYTES);
      const selection = toFailureSelection(body, request.body);
      const [caller, { id }, deadline] = [callerOf(request), request.parameters, deadlineOf(request)];
      if (dryRun) {
        const { planned, until, sample } = await redeliveries.plan(caller, id, selection, deadline);
        return ok({ state: "planned", planned, until, sample: sample.map(toDeliveryAnswer) });
      }
      const started = await redeliveries.start(
        caller,
        id,
        { request: selection, planned: most },
        deadline,
        readOnce(request),
      );
      const headers = { location: `retries/${started.id}` };
      return { status: 202, headers, body: JSON.stringify(toRedeliveryAnswer(started)) };
    },

    listRedeliveries: async (request) => {
      const { items, next } = await redeliveries.list(
        callerOf(request),
        request.parameters.id,
        pageOf(request.query, REDELIVERIES_PAGE),
        deadlineOf(request),
      );
      return ok({ retries: items.map(toRedeliveryAnswer), next });
    },

    readRedelivery: async (request) => {
      const { id, retryId } = request.parameters;
      return ok(toRedeliveryAnswer(await redeliveries.read(callerOf(request), id, retryId, deadlineOf(request))));
    },

    cancelRedelivery: async (request) => {
      const { id, retryId } = request.parameters;
      return ok(toRedeliveryAnswer(await redeliveries.cancel(callerOf(request), id, retryId, deadlineOf(request))));
    },
  };
}

const ok = (body: object, headers: Record<string, string> = {}): HttpResponse<200> => ({
  status: 200,
  headers,
  body: JSON.stringify(body),
});

function callerOf({ principal, requestId }: { principal: Principal; requestId: string }): Caller {
  return { ...principal, requestId };
}

function pageOf({ after, limit }: { after?: string | undefined; limit?: number | undefined }, most: number) {
  return { after, limit: limit ?? most };
}

function testedBy(filter: ReturnType<typeof filterFromBody>, subscription: string | undefined) {
  if (filter !== undefined && subscription === undefined) return { filter };
  if (filter === undefined && subscription !== undefined) return { subscription };
  throw malformed("it needs either a filter or the id of a subscription");
}

/** An event with all digits of its numbers, or the key of one that is stored. */
function toTestedEvent(event: Record<string, unknown>, body: Uint8Array): TestedEvent {
  const key = storedEventKey.safeParse(event);
  if (key.success) return { kind: "stored", id: key.data.id, source: key.data.source };
  const { lossless } = parseLossless(new TextDecoder().decode(body));
  return { kind: "whole", event: (lossless as { event: FilterableEvent }).event };
}

/** The answer has a secret: no cache may keep it. */
const NEVER_KEPT = { "cache-control": "no-store" };
