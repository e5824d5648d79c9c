import type { Exchange } from "./front.ts";
import type { Operations } from "./operations.ts";

/**
 * Counts a call of the Data API, which is metered in units of 32 KB. Request and response both count here, because the price
 * list does not say whether the response does.
 */
export function countDataApiCall(dataApi: Operations["dataApi"], { request, response }: Exchange): void {
  dataApi.calls += 1;
  dataApi.units += unitsOf(request.length + response.length);
}

function unitsOf(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / UNIT_BYTES));
}

const UNIT_BYTES = 32 * 1024;
