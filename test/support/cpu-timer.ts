/**
 * Counts the milliseconds that this thread computes from now on. Other programs on the machine do not make them more, so
 * a test can bound them.
 */
export function startCpuTimer(): () => number {
  const before = process.threadCpuUsage();
  return () => {
    const { user, system } = process.threadCpuUsage(before);
    return (user + system) / 1_000;
  };
}
