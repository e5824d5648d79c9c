import { describe, expect, it } from "vitest";
import { RequestError } from "../../../functions/core/errors.ts";
import { hashKey } from "../../../functions/core/key.ts";
import { caller, consoleUnderTest, SECRET } from "./support.ts";

const refusal = (call: Promise<unknown>): Promise<RequestError | undefined> =>
  call.then(
    () => undefined,
    (error: unknown) => error as RequestError,
  );

describe("signing in to the operator's page", () => {
  it("a code is exchanged for a session of eight hours, of the key that made the code", async () => {
    const { console, reader } = consoleUnderTest();
    const { code, expiresAt } = await console.makeCode(caller());

    const signedIn = await console.signIn(code, "r-2");

    expect(expiresAt).toBe("2026-11-29T10:05:00.000Z");
    expect(signedIn.expiresAt).toBe("2026-11-29T18:00:00.000Z");
    expect(await reader.session(hashKey(SECRET, signedIn.session))).toEqual({
      keyId: "4fQ0v7xYbN2k",
      expiresAt: "2026-11-29T18:00:00.000Z",
    });
  });

  it("a code works once, also where several use it at once", async () => {
    const { console } = consoleUnderTest();
    const { code } = await console.makeCode(caller());

    const outcomes = await Promise.all(Array.from({ length: 5 }, () => refusal(console.signIn(code, "r-2"))));

    expect(outcomes.filter((each) => each === undefined).length).toBe(1);
    expect(outcomes.filter((each) => each?.code === "bad_code").length).toBe(4);
    expect(await refusal(console.signIn(code, "r-3"))).toMatchObject({ code: "bad_code" });
  });

  it.each([
    [299, undefined],
    [300, "bad_code"],
    [301, "bad_code"],
  ])("a code of %i seconds has the outcome %s", async (seconds, expected) => {
    const { console, pass } = consoleUnderTest();
    const { code } = await console.makeCode(caller());
    pass(seconds);

    expect((await refusal(console.signIn(code, "r-2")))?.code).toBe(expected);
  });

  it.each(["", "code", "sluice_code_0000000000000000000000000000000000000000000000000"])(
    "the text %j is refused as no code, with the command that makes one",
    async (text) => {
      const { console } = consoleUnderTest();

      expect(await refusal(console.signIn(text, "r-2"))).toMatchObject({
        code: "bad_code",
        message: expect.stringContaining("npm run console"),
      });
    },
  );

  it("a code of a key that has ended meanwhile signs nobody in, and is used up", async () => {
    const { console, changeKey } = consoleUnderTest();
    const { code } = await console.makeCode(caller());
    changeKey({ revokedAt: "2026-11-29T10:00:00.000Z" });
    expect(await refusal(console.signIn(code, "r-2"))).toMatchObject({
      code: "bad_code",
      message: expect.stringContaining("The key that made the code has ended."),
    });

    changeKey({ revokedAt: undefined });
    expect(await refusal(console.signIn(code, "r-3"))).toMatchObject({ code: "bad_code" });
  });

  it("a code of a key that has lost the scope signs nobody in", async () => {
    const { console, changeKey } = consoleUnderTest();
    const { code } = await console.makeCode(caller());
    changeKey({ role: "producer" });

    expect(await refusal(console.signIn(code, "r-2"))).toMatchObject({ code: "bad_code" });
  });

  it("a code of a tenant that was suspended meanwhile signs nobody in", async () => {
    const { console, suspend } = consoleUnderTest();
    const { code } = await console.makeCode(caller());
    suspend();

    expect(await refusal(console.signIn(code, "r-2"))).toMatchObject({
      code: "bad_code",
      message: expect.stringContaining("suspended"),
    });
  });

  it("a session makes no code, or it could prolong itself without end", async () => {
    const { console, actions } = consoleUnderTest();
    const session = { hash: "ab", expiresAt: "2026-11-29T18:00:00.000Z" };

    expect(await refusal(console.makeCode(caller({ session })))).toMatchObject({ code: "forbidden" });
    expect(actions()).toEqual([]);
  });

  it("signing out ends the caller's session, and no other", async () => {
    const { console, reader } = consoleUnderTest();
    const signIn = async () => {
      const made = await console.signIn((await console.makeCode(caller())).code, "r-2");
      return { hash: hashKey(SECRET, made.session), expiresAt: made.expiresAt };
    };
    const [mine, other] = [await signIn(), await signIn()];

    await console.signOut(caller({ session: mine }));

    expect(await reader.session(mine.hash)).toBeUndefined();
    expect(await reader.session(other.hash)).toBeDefined();
  });

  it("a key cannot sign out", async () => {
    const { console } = consoleUnderTest();

    expect(await refusal(console.signOut(caller()))).toMatchObject({ code: "no_session" });
  });

  it("the audit log has the code, the sign-in and the sign-out, without the code or the session", async () => {
    const { console, actions } = consoleUnderTest();
    const { code } = await console.makeCode(caller());
    const { session, expiresAt } = await console.signIn(code, "r-2");
    await console.signOut(caller({ session: { hash: hashKey(SECRET, session), expiresAt } }));

    const name = hashKey(SECRET, session).slice(0, 12);
    const by = { who: "4fQ0v7xYbN2k", target: "4fQ0v7xYbN2k" };
    expect(actions()).toEqual([
      { action: "console.code", ...by, details: { expiresAt: "2026-11-29T10:05:00.000Z" } },
      { action: "console.sign_in", ...by, details: { session: name, expiresAt } },
      { action: "console.sign_out", ...by, details: { session: name } },
    ]);
    expect(JSON.stringify(actions())).not.toMatch(/sluice_(code|session)_/);
  });

  it("nobody is signed in while the audit log does not answer", async () => {
    const { console, audit, reader } = consoleUnderTest();
    const { code } = await console.makeCode(caller());
    audit.outage();

    expect(await refusal(console.signIn(code, "r-2"))).toMatchObject({ name: "AccessError" });
    expect(await refusal(console.makeCode(caller()))).toMatchObject({ name: "AccessError" });
    expect(await reader.session("any")).toBeUndefined();
  });
});
