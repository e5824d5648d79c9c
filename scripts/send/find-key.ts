/** The variable that holds the key of a command: an option would show it in the list of processes. */
const KEY_VARIABLE = "SLUICE_API_KEY";

/**
 * The key that a command sends: that of the variable, or else the one of the local runtime.
 * @throws Error that says how to make one
 */
export function findKey(local: string | undefined): string {
  const key = process.env[KEY_VARIABLE]?.trim() || local;
  if (key !== undefined) return key;
  throw new Error(
    `The stack asks for a key. Put one into the environment variable ${KEY_VARIABLE}; \`npm run keys -- create --outputs outputs.json --tenant default --role admin\` makes one.`,
  );
}
