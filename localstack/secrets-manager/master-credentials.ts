/** The value of the secret that RDS makes for the cluster's master user. */
export function masterCredentials(databaseUrl: string): string {
  const { username, password } = new URL(databaseUrl);
  return JSON.stringify({ username: decodeURIComponent(username), password: decodeURIComponent(password) });
}
