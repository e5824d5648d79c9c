/** A statement on the database as its owner. */
type Ask = (sql: string) => Promise<Record<string, unknown>[]>;

/**
 * The rollups that are not what the events say, over all days, as the daily check of a deployment finds them. Those of a day of which
 * retention has dropped events say more than the events that are left.
 */
export function differingRollups(ask: Ask): Promise<Record<string, unknown>[]> {
  return ask(`
    select differing.* from (
      select distinct date_trunc('day', received_at, 'UTC') as day from events
      union
      select date_trunc('day', minute, 'UTC') from rollup_deltas
      union
      select date_trunc('day', minute, 'UTC') from rollups
    ) as days
    cross join lateral check_rollups(day, day + interval '24 hours') as differing
    where not exists (
      select from retention_days as dropped
      where (detached_at is not null or was_dropped) and dropped.day = cast(days.day at time zone 'UTC' as date)
    )
  `);
}

/** The transactions whose rows for the feed do not count the events that they have stored. */
export function differingTransactions(ask: Ask): Promise<Record<string, unknown>[]> {
  return ask(`
    select * from (
      select tenant, transaction_number, cast(received_at at time zone 'UTC' as date) as day, count(*) as stored
      from events group by 1, 2, 3
    ) as stored
    full join (
      select tenant, transaction_number, day, sum(events) as noted from event_transactions group by 1, 2, 3
    ) as noted using (tenant, transaction_number, day)
    where stored.stored is distinct from noted.noted
  `);
}
