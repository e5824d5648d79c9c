import { beforeEach } from "vitest";

export type Gap = {
  /** The file with the test. */
  file: string;
  /** Full name of the test: its describe-blocks in front, joined by " > ". */
  test: string;
  /** The behaviour of the emulator, and that of AWS. */
  reason: string;
  /** The place of it in the emulator, or in the documentation of AWS. */
  link: string;
};

/** From here on, the tests with a gap must fail: one that passes fails the run. */
export function expectGaps(gaps: readonly Gap[]): void {
  const names = new Set(gaps.map(({ test }) => test));
  beforeEach(({ task }) => {
    if (names.has(task.fullTestName)) (task as { fails?: boolean }).fails = true;
  });
}
