/**
 * The retention classes: for how many days a day of events is kept, or for good. An event has its class from ingest on, as it has
 * the time of its receipt. The catalog names the class of a type, and the stage that of all other events. The table
 * `retention_classes` has the same (functions/sql/0001_events.sql), which a test compares.
 */
export const RETENTION_DAYS = { "7d": 7, "30d": 30, "90d": 90, "400d": 400, keep: 0 } as const;

export type Retention = keyof typeof RETENTION_DAYS;

/** `before-drop`: a day is archived before it is dropped. */
export const ARCHIVES = ["none", "before-drop"] as const;

/** The class as messages and rows have it: its days, and 0 for one that is kept. */
export type RetentionDays = (typeof RETENTION_DAYS)[Retention];

export const RETENTIONS = Object.keys(RETENTION_DAYS) as [Retention, ...Retention[]];

/** The days of an event's class: those of its type, else those of the stage. */
export type RetentionOf = (type: string) => RetentionDays;

/** @param catalog the versions of each type; a type has one class in all of them */
export function createRetentionOf(
  catalog: ReadonlyMap<string, readonly { retention?: Retention | undefined }[]>,
  ofStage: Retention,
): RetentionOf {
  const days = new Map(
    [...catalog].map(([type, versions]) => [type, versions.find(({ retention }) => retention)?.retention]),
  );
  return (type) => RETENTION_DAYS[days.get(type) ?? ofStage];
}

/** The name of the class of so many days, for example `30d`. @throws TypeError for days that no class has */
export function retentionName(days: number): Retention {
  const name = RETENTIONS.find((each) => RETENTION_DAYS[each] === days);
  if (name === undefined) throw new TypeError(`No retention class has ${days} days.`);
  return name;
}
