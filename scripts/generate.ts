import { readFileSync, writeFileSync } from "node:fs";
import { openApi } from "../functions/api-docs/openapi.ts";
import { withRouteTable } from "./route-table.ts";

/** `npm run generate`: writes the committed files, and parts of files, that are made from others. */
writeFileSync("docs/openapi.json", `${JSON.stringify(openApi(), null, 2)}\n`);
writeFileSync("README.md", withRouteTable(readFileSync("README.md", "utf8")));
