import { readdirSync } from "node:fs";
import type { EventType } from "../../core/catalog.ts";

const FOLDER = new URL("../../../catalog/", import.meta.url);

/**
 * The event types of catalog/, in the order of their files' names. Programs that run from the sources load the files at
 * run time; a bundle contains them (lib/bundle.ts).
 */
export const eventTypes: EventType[] = await Promise.all(
  readdirSync(FOLDER)
    .filter((file) => file.endsWith(".ts"))
    .toSorted()
    .map((file) => import(new URL(file, FOLDER).href) as Promise<EventType>),
);
