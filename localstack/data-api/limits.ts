/**
 * The RDS Data API's limits.
 * https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.limitations.html,
 * https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/CHAP_Limits.html,
 * https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api-timeouts.html,
 * https://docs.aws.amazon.com/rdsdataservice/latest/APIReference/API_BeginTransaction.html
 */

/** The whole HTTP request: request line, headers and JSON. */
export const MAX_REQUEST_BYTES = 4 * 1024 * 1024;

/** The JSON response. AWS measures the database's binary data, which is never larger: this is the stricter reading. */
export const MAX_RESPONSE_BYTES = 1024 * 1024;

/** The values of one result row. */
export const MAX_ROW_BYTES = 64 * 1024;

/** https://docs.aws.amazon.com/rdsdataservice/latest/APIReference/API_ExecuteStatement.html, member `sql` */
export const MAX_SQL_CHARACTERS = 65_536;

export const STATEMENT_TIMEOUT_MS = 45_000;

/** A transaction without a call for this long is rolled back. */
export const TRANSACTION_IDLE_MS = 3 * 60_000;

export const TRANSACTION_LIFETIME_MS = 24 * 60 * 60_000;

/** Connections kept to PostgreSQL: statements under way plus open transactions. Further calls wait. Ours, not AWS's. */
export const MAX_CONNECTIONS = 20;

/** The wait of a call for a connection before the database counts as unavailable. Ours, not AWS's. */
export const CONNECT_TIMEOUT_MS = 10_000;
