import type { ClientConfig } from "pg";

/** The settings of a connection to PostgreSQL on this machine. No `PG…` variable of the shell changes them. */
export function connectionSettings(url: string): ClientConfig {
  const { hostname, port, username, password, pathname } = new URL(url);
  const settings: ClientConfig & { replication: string } = {
    host: hostname,
    port: Number(port),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: decodeURIComponent(pathname.slice(1)),
    application_name: "sluice",
    ssl: false,
    sslnegotiation: "postgres",
    client_encoding: "UTF8",
    replication: "false",
    // pg takes an empty text for a missing one, and then the variable.
    options: " ",
  };
  return settings;
}
