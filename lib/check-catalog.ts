import { CatalogError, eventTypeFiles, readCatalog } from "./read-catalog.ts";
import { tryCatalog } from "./try-catalog.ts";

/**
 * Checks a catalog before it is bundled and deployed: that Lambda can load its files, and that each is one event type.
 * @throws CatalogError that names every file with a fault
 */
export function checkCatalog(folder: string): void {
  const { faults, harmful } = tryCatalog(eventTypeFiles(folder));
  if (harmful.length > 0) throw new CatalogError([...harmful, ...faults]);
  // Its messages name the place in the sources.
  readCatalog(folder);
  if (faults.length > 0) throw new CatalogError(faults);
}
