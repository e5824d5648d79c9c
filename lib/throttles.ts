import type { StageOptions } from "aws-cdk-lib/aws-apigateway";
import { API_BURST_LIMIT, API_OTHER_METHODS_LIMIT, API_RATE_LIMIT, API_SHARES } from "../functions/core/limits.ts";
import type { Route } from "../functions/routes/route.ts";
import { type HttpFunction, routes } from "../functions/routes/routes.ts";

const SHARES: Record<HttpFunction, number> = API_SHARES;

/**
 * The throttles of an API's stage. Each method counts by itself, so a function's share is divided among its routes. A
 * method without a route (`ANY`) has the stage's own throttle, because API Gateway has no settings for it.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
 */
export function throttles(): Pick<StageOptions, "throttlingRateLimit" | "throttlingBurstLimit" | "methodOptions"> {
  const methods = Object.entries(routes).flatMap(([name, ofFunction]) => {
    const all = Object.values<Route>(ofFunction);
    const share = SHARES[name as HttpFunction] / all.length;
    return all.map(({ method, path }) => [`${path}/${method}`, limits(share)] as const);
  });
  return {
    throttlingRateLimit: API_OTHER_METHODS_LIMIT,
    throttlingBurstLimit: API_OTHER_METHODS_LIMIT,
    methodOptions: Object.fromEntries(methods),
  };
}

const limits = (share: number) => ({
  throttlingRateLimit: Math.floor(API_RATE_LIMIT * share),
  throttlingBurstLimit: Math.floor(API_BURST_LIMIT * share),
});
