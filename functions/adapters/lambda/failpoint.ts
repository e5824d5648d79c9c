/** The places where a fault test may stop a function. */
type Failpoint =
  | "beforeSend"
  | "afterSend"
  | "beforeStore"
  /** The database has committed. */
  | "afterStore"
  /** All work is done and nothing is acknowledged. */
  | "beforeAnswer";

/**
 * Does here what the running fault test orders: nothing, wait, throw, or end the process as a crash does. The test's own
 * server (`FAILPOINTS_URL`) decides, and counts for all processes. Each call stands behind the label `FAILPOINT`, which
 * the bundler drops from everything that is deployed, and this function with it (lib/bundle.ts).
 * @throws Error when the test orders one
 */
export async function failpoint(name: Failpoint): Promise<void> {
  const { FAILPOINTS_URL: url, AWS_LAMBDA_FUNCTION_NAME: functionName } = process.env;
  if (url === undefined) return;
  const response = await fetch(`${url}/${functionName}/${name}/${process.pid}`, { method: "POST" });
  const order = await response.text();
  if (order === "kill") process.kill(process.pid, "SIGKILL");
  if (order === "throw") throw new Error(`Ordered by the fault test at ${name}`);
}
