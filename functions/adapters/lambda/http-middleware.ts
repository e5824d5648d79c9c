import type { MiddlewareObj } from "@middy/core";
import type { APIGatewayProxyEvent } from "aws-lambda";
import type { Grant } from "../../core/limiter.ts";
import type { HttpRequest, HttpResponse } from "../../core/http.ts";
import type { Principal } from "../../core/principal.ts";
import type { Route } from "../../routes/route.ts";
import type { SentHeaders } from "./read-headers.ts";

/** API Gateway's event, and the parts that the middlewares add before the handler runs. */
export type HttpEvent = APIGatewayProxyEvent & {
  /** The start of the request, of the monotonic clock in ms. */
  started?: number;
  operation?: Operation;
  sent?: SentHeaders;
  principal?: Principal;
  /** The token of this request; undefined where the caller has no limit of requests. */
  requestGrant?: Grant | undefined;
  request?: HttpRequest;
};

/** A route and its handler. */
export type Operation = { route: Route; handle: (request: HttpRequest) => Promise<HttpResponse> };

export type HttpMiddleware = MiddlewareObj<HttpEvent, HttpResponse>;
