import { failpointEnvironment } from "./environment.ts";

/** The places where a fault test may stop a function. */
type Failpoint =
  | "beforeSend"
  | "afterSend"
  /** SQS has confirmed the events, and the numbers of no event say so. */
  | "beforeNote"
  /** The numbers are written, and the client has no answer. */
  | "afterNote"
  | "beforeStore"
  /** The database has committed. */
  | "afterStore"
  | "beforeRecord"
  /** The database has committed dead letters. */
  | "afterRecord"
  /** All work is done and no message is acknowledged yet. */
  | "beforeAnswer"
  /** S3 has a piece of a part. */
  | "afterPiece"
  /** S3 has a whole file, which no job counts yet. */
  | "afterUpload"
  /** The job of an export is about to change. */
  | "beforeCommit"
  /** It has changed. */
  | "afterCommit"
  /** A replay is about to take dead letters. */
  | "beforeTake"
  /** It has taken them, and sent none. */
  | "afterTake"
  /** It has sent some, and no row says so. */
  | "beforeMark"
  /** The rows say so. */
  | "afterMark"
  /** The job has ended, and nobody looks for outcomes yet. */
  | "afterEnd"
  /** A worker is about to make deliveries of events. */
  | "beforeDispatch"
  /** The deliveries are there, and nobody has claimed them. */
  | "afterDispatch"
  /** Deliveries are leased, and none is sent. */
  | "afterClaim"
  | "beforeSendNotice"
  /** The sink has answered, and no row says so. */
  | "afterSendNotice"
  | "beforeSettle"
  /** The results are written, and their notices not sent. */
  | "afterSettle"
  /** A worker is about to read notices, and to send them. */
  | "beforeNotices"
  /** The queue has the notices, and their rows are still there. */
  | "afterNotices"
  /** Nobody has begun to detach the table of a day. */
  | "beforeDetach"
  /** It is detached, and nobody has noted that. */
  | "afterDetach"
  | "beforeNoteDetached"
  | "afterNoteDetached"
  /** Some keys of a day are about to be deleted. */
  | "beforeDeleteKeys"
  | "afterDeleteKeys"
  | "beforeDrop"
  /** The tables are dropped, and the answer is not there. */
  | "afterDrop"
  /** A statement of an erasure is about to run. */
  | "beforeErase"
  /** It has committed, and no answer says so. */
  | "afterErase"
  | "beforeWake"
  /** The queue has the wake-up, and the message of this one is not acknowledged. */
  | "afterWake";

/**
 * Obeys the running fault test: goes on, waits, throws, or ends the process as a crash does. The test's server decides,
 * and counts the calls of all processes. Each call stands behind the label `FAILPOINT`; the bundler drops these calls and
 * this function from deployed code (lib/bundle.ts).
 * @throws Error when the test orders it
 */
export async function failpoint(name: Failpoint): Promise<void> {
  const { url, functionName } = failpointEnvironment();
  if (url === undefined) return;
  const response = await fetch(`${url}/${functionName}/${name}/${process.pid}`, { method: "POST" });
  const order = await response.text();
  if (order === "kill") process.kill(process.pid, "SIGKILL");
  if (order === "throw") throw new Error(`Ordered by the fault test at ${name}`);
}
