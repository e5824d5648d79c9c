import { beforeEach } from "vitest";
import { gapsHere } from "./known-gaps.ts";

const gaps = new Set((await gapsHere()).map(({ test }) => test));

/** A test that the emulator cannot pass is one that must fail. */
beforeEach(({ task }) => {
  if (gaps.has(task.fullTestName)) (task as { fails?: boolean }).fails = true;
});
