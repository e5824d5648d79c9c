import * as z from "zod";

/** The user name and password of a database role. */
export type Credentials = z.output<typeof schema>;

/** RDS and CloudFormation write further members, for example the host. */
const schema = z.object({ username: z.string().min(1), password: z.string().min(1) });

/** The credentials in a secret's value; undefined if it has none. */
export function parseCredentials(text: string): Credentials | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
