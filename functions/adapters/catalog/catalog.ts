import { eventTypes } from "#event-types";
import { type Catalog, toCatalog } from "../../core/catalog.ts";

/** The event types whose `data` ingest checks: one for each file of catalog/. */
export const catalog: Catalog = toCatalog(eventTypes);
