import type * as z from "zod";
import { subscriptionSchemas as schemas } from "../../functions/core/subscription-answers.ts";
import type { ApiClient } from "../access/api-client.ts";

export type Subscription = z.output<typeof schemas.Subscription>;
export type MadeSubscription = z.output<typeof schemas.MadeSubscription>;
export type WholeSubscription = z.output<typeof schemas.WholeSubscription>;
export type Attempt = z.output<typeof schemas.Attempts>["attempts"][number];
export type Delivery = z.output<typeof schemas.Deliveries>["deliveries"][number];
export type FailureGroup = z.output<typeof schemas.Failures>["groups"][number];
export type Retry = z.output<typeof schemas.Redelivery>;
export type RetryPlan = z.output<typeof schemas.RedeliveryPlan>;

type Query = NonNullable<Parameters<ApiClient["call"]>[0]["query"]>;
type Page<Row> = { rows: Row[]; next: string | null };

/** The subscriptions of a tenant, by the API. Lists end after `most` rows. */
export function createSubscriptionsApi(api: ApiClient, tenant: string | undefined) {
  const at = (id: string) => `/subscriptions/${encodeURIComponent(id)}` as const;
  const retryAt = (id: string, retry: string) => `${at(id)}/retries/${encodeURIComponent(retry)}` as const;
  const get = <Answer>(path: `/${string}`, schema: z.core.$ZodType<Answer>, query: Query = {}) =>
    api.call({ method: "GET", path, query, tenant }, schema);
  const post = <Answer>(path: `/${string}`, schema: z.core.$ZodType<Answer>, body?: object) =>
    api.call({ method: "POST", path, body, tenant }, schema);

  return {
    list: (most: number) =>
      takePages(most, async (page): Promise<Page<Subscription>> => {
        const { subscriptions, next } = await get("/subscriptions", schemas.Subscriptions, page);
        return { rows: subscriptions, next };
      }),
    create: (body: object): Promise<MadeSubscription> => post("/subscriptions", schemas.MadeSubscription, body),
    read: (id: string): Promise<WholeSubscription> => get(at(id), schemas.WholeSubscription),
    change: (id: string, body: object): Promise<Subscription> =>
      api.call({ method: "PUT", path: at(id), body, tenant }, schemas.Subscription),
    remove: async (id: string): Promise<void> => void (await api.callText({ method: "DELETE", path: at(id), tenant })),
    test: (body: object) => post("/subscriptions/test", schemas.SubscriptionTestAnswer, body),
    seek: (id: string, from: string): Promise<Subscription> => post(`${at(id)}/seek`, schemas.Subscription, { from }),
    setState: (id: string, change: "disable" | "enable"): Promise<Subscription> =>
      post(`${at(id)}/${change}`, schemas.Subscription),
    rotate: (id: string, overlapHours: number | undefined) =>
      post(`${at(id)}/rotate`, schemas.RotatedSubscription, { overlapHours }),
    attempts: (id: string, query: Query, most: number) =>
      takePages(most, async (page): Promise<Page<Attempt>> => {
        const { attempts, next } = await get(`${at(id)}/attempts`, schemas.Attempts, { ...query, ...page });
        return { rows: attempts, next };
      }),
    deliveries: (id: string, query: Query, most: number) =>
      takePages(most, async (page): Promise<Page<Delivery>> => {
        const { deliveries, next } = await get(`${at(id)}/deliveries`, schemas.Deliveries, { ...query, ...page });
        return { rows: deliveries, next };
      }),
    failures: async (id: string): Promise<FailureGroup[]> => (await get(`${at(id)}/failures`, schemas.Failures)).groups,
    planRetry: (id: string, body: object): Promise<RetryPlan> =>
      post(`${at(id)}/retry`, schemas.RedeliveryPlan, { ...body, dryRun: true }),
    retry: (id: string, body: object): Promise<Retry> => post(`${at(id)}/retry`, schemas.Redelivery, body),
    retries: (id: string, most: number) =>
      takePages(most, async (page): Promise<Page<Retry>> => {
        const { retries, next } = await get(`${at(id)}/retries`, schemas.Redeliveries, page);
        return { rows: retries, next };
      }),
    readRetry: (id: string, retry: string): Promise<Retry> => get(retryAt(id, retry), schemas.Redelivery),
    cancelRetry: (id: string, retry: string): Promise<Retry> =>
      post(`${retryAt(id, retry)}/cancel`, schemas.Redelivery),
  };
}

export type SubscriptionsApi = ReturnType<typeof createSubscriptionsApi>;

/** A list, page by page. `isWhole`: nothing is behind its rows. */
async function takePages<Row>(
  most: number,
  ask: (page: { after: string | undefined }) => Promise<Page<Row>>,
): Promise<{ rows: Row[]; isWhole: boolean }> {
  const rows: Row[] = [];
  let after: string | undefined;
  do {
    const page = await ask({ after });
    rows.push(...page.rows);
    after = page.next ?? undefined;
  } while (after !== undefined && rows.length < most);
  return { rows: rows.slice(0, most), isWhole: after === undefined && rows.length <= most };
}
