import { join } from "node:path";
import type { EventType } from "../functions/core/catalog.ts";
import { readCatalog } from "./read-catalog.ts";

/** The module `#event-types` of programs that run from the sources; a bundle has its own (lib/bundle.ts). */
export const eventTypes: EventType[] = readCatalog(join(import.meta.dirname, "../catalog"));
