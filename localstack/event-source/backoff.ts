/** Short waits first: a restarted queue answers after half a second, a laptop that was asleep much later. */
const FIRST_MILLISECONDS = 100;
const LONGEST_MILLISECONDS = 5000;

/** The wait before the attempt after `failures` failed ones: 100 ms, 200, 400 … at most 5 s. */
export function backoffMilliseconds(failures: number): number {
  return Math.min(FIRST_MILLISECONDS * 2 ** (failures - 1), LONGEST_MILLISECONDS);
}
