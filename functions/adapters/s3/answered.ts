import { FilesError } from "../../core/export-job.ts";

/** Awaits a call of S3. @throws FilesError for every failure of it */
export async function answered<Output>(call: Promise<Output>): Promise<Output> {
  try {
    return await call;
  } catch (cause) {
    const name = cause instanceof Error ? cause.name : "unknown";
    throw new FilesError(`S3 did not answer a call: ${name}.`, { cause });
  }
}
