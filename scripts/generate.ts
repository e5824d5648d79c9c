import { writeFileSync } from "node:fs";
import { generateCatalog } from "../lib/generate-catalog.ts";

/** `npm run generate`: writes the committed files that are made from others. */
generateCatalog();
// After the list of the catalog's types is written, which this reads.
const { openApi } = await import("../functions/reference/openapi.ts");
writeFileSync("docs/openapi.json", `${JSON.stringify(openApi(), null, 2)}\n`);
