import { readdirSync } from "node:fs";
import { type EventType, inVersionOrder } from "../../core/catalog.ts";

const FOLDER = new URL("../../../catalog/", import.meta.url);

/**
 * The event types of catalog/, in the order of their versions. Programs that run from the sources load the files at
 * run time; a bundle contains them (lib/bundle.ts).
 */
export const eventTypes: EventType[] = await Promise.all(
  inVersionOrder(readdirSync(FOLDER).filter((file) => file.endsWith(".ts"))).map(
    (file) => import(new URL(file, FOLDER).href) as Promise<EventType>,
  ),
);
