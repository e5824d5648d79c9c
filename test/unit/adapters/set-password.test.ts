import { describe, expect, it } from "vitest";
import { scramVerifier, setPassword } from "../../../functions/adapters/data-api/set-password.ts";

/** The password and salt of RFC 7677, section 3; the keys follow from its proof and its server signature. */
const PENCIL = { password: "pencil", salt: Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64") };

describe("the verifier of a password", () => {
  it("the verifier of a password has PostgreSQL's form, and the keys of the example in RFC 7677", () => {
    expect(scramVerifier(PENCIL.password, PENCIL.salt)).toBe(
      "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
    );
  });
});

describe("setting a password", () => {
  it("setting a password sends its verifier with a new salt each time, and never the password", async () => {
    const sent: Record<string, string | null>[] = [];
    const credentials = { username: "sluice_reader_1", password: "correct horse" };
    const execute = async (_sql: string, parameters: Record<string, string | null>) => {
      sent.push(parameters);
      return { rows: [], updated: 0 };
    };

    await setPassword(execute, credentials, 0);
    await setPassword(execute, credentials, 0);

    expect(sent.map(({ user_name: user }) => user)).toEqual(["sluice_reader_1", "sluice_reader_1"]);
    expect(new Set(sent.map(({ verifier }) => verifier)).size).toBe(2);
    expect(JSON.stringify(sent)).not.toContain(credentials.password);
  });
});
