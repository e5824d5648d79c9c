import { writeFileSync } from "node:fs";
import { openApi } from "../functions/api-docs/openapi.ts";

/** `npm run generate`: writes the committed files that derive from code. */
writeFileSync("docs/openapi.json", `${JSON.stringify(openApi(), null, 2)}\n`);
