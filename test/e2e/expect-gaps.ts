import { expectGaps } from "./gaps.ts";
import { gapsHere } from "./known-gaps.ts";

expectGaps(await gapsHere());
