import type { BucketModel } from "../template/model.ts";
import type { Store } from "./fauxqs.ts";

const DAY_MS = 86_400_000;

/**
 * Brings the buckets in line with the template: creates the missing ones, and does what their lifecycle rules say, at the
 * start only, so that the data folder does not grow for ever. S3 deletes within a day or two of the time, so no reader may
 * rely on it. A bucket that the template no longer has is kept with its objects; the lines returned name it.
 */
export function prepareBuckets(store: Store, models: BucketModel[], now: Date): string[] {
  for (const model of models) {
    store.createBucket(model.name);
    deleteExpired(store, model, now);
    endUploads(store, model, now);
  }
  const known = new Set(models.map(({ name }) => name));
  return [...store.buckets]
    .filter(([name]) => !known.has(name))
    .map(([name, { size }]) => `The bucket ${name} is no longer in the template; its ${size} objects are kept.`);
}

function deleteExpired(store: Store, { name, expirations }: BucketModel, now: Date): void {
  const objects = [...(store.buckets.get(name)?.values() ?? [])];
  for (const { prefix, days } of expirations) {
    const oldest = now.getTime() - days * DAY_MS;
    for (const { key, lastModified } of objects) {
      if (key.startsWith(prefix) && lastModified.getTime() < oldest) store.deleteObject(name, key);
    }
  }
}

function endUploads(store: Store, { name, abortUploadsAfterDays: days }: BucketModel, now: Date): void {
  if (days === undefined) return;
  for (const { uploadId, bucket, initiated } of store.multipartUploads.values()) {
    if (bucket === name && initiated.getTime() < now.getTime() - days * DAY_MS) store.abortMultipartUpload(uploadId);
  }
}
