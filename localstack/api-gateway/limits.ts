/**
 * Numbers of API Gateway REST APIs and of Lambda's Invoke that the local gateway keeps.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
 */

/** Largest request body, as received and again after inflating. */
export const BODY_LIMIT_BYTES = 10_485_760;

/** Largest event of a synchronous invocation. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
export const PAYLOAD_LIMIT_BYTES = 6_291_456;

/** "Total combined size of all header values". */
export const HEADER_VALUES_LIMIT_BYTES = 10_240;

/** Default integration timeout; the template may name no other. */
export const INTEGRATION_TIMEOUT_MILLISECONDS = 29_000;

/** A body over the limit is still read up to here, so that a client that is still sending gets the answer and not a reset. */
export const DISCARD_LIMIT_BYTES = 64 * 1024 * 1024;
