import { beforeEach, describe, expect, it, vi } from "vitest";
import type { DatabaseRole } from "../../../functions/core/database-roles.ts";
import { DatabaseError } from "../../../functions/core/errors.ts";
import type { ExecuteSql, SqlDatabase } from "../../../functions/core/ports.ts";
import { createRotate, ROTATION_STEPS } from "../../../functions/rotate/rotate.ts";
import { memorySecrets, type MemorySecrets } from "../../support/memory-secrets.ts";

const ARNS: Record<DatabaseRole, string> = { writer: "arn:aws:writer", reader: "arn:aws:reader" };
const LOGIN_FAILED = new DatabaseError({
  disposition: "stop",
  reason: "invalid_authorization",
  sqlState: "28P01",
  detail: "FATAL: password authentication failed",
});

let secrets: MemorySecrets;
/** The passwords of the database. */
let passwords: Map<string, string>;
/** The value that the Data API has kept instead of the current one. */
let kept: { username: string; password: string } | undefined;
let waits: number[];

beforeEach(() => {
  secrets = memorySecrets();
  passwords = new Map();
  kept = undefined;
  waits = [];
  for (const role of ["writer", "reader"] as const) {
    const value = { username: `sluice_${role}_1`, password: "first" };
    secrets.create(ARNS[role], value);
    passwords.set(value.username, value.password);
  }
});

const database = (execute: ExecuteSql): SqlDatabase => ({ execute, transaction: (work) => work(execute) });
const login = (role: DatabaseRole) =>
  database(async () => {
    const value = kept ?? secrets.current(ARNS[role]);
    if (value === undefined || passwords.get(value.username) !== value.password) throw LOGIN_FAILED;
    return { rows: [[value.username]], updated: 0 };
  });
const owner = database(async (_sql, { user }) => ({ rows: user?.startsWith("sluice_") ? [[true]] : [], updated: 0 }));

let made = 0;
const rotate = (changes: Partial<Parameters<typeof createRotate>[0]> = {}) =>
  createRotate({
    secrets,
    secretArns: ARNS,
    owner,
    logins: { writer: login("writer"), reader: login("reader") },
    setPassword: async (_execute, { username, password }) => void passwords.set(username, password),
    newPassword: () => `generated ${(made += 1)}`,
    wait: async (milliseconds) => void waits.push(milliseconds),
    ...changes,
  });

const step = (Step: string, { secret = ARNS.reader, token = "second" } = {}) => ({
  SecretId: secret,
  ClientRequestToken: token,
  Step,
});
const DEADLINE = 60_000;

describe("a rotation", () => {
  it("a rotation makes the other user of the role the current one, with a new password", async () => {
    secrets.startRotation(ARNS.reader, "second");

    const results = [];
    for (const each of ROTATION_STEPS) results.push(await rotate()(step(each), DEADLINE));

    const current = secrets.current(ARNS.reader);
    expect(current).toEqual({ username: "sluice_reader_2", password: expect.stringContaining("generated") });
    expect(passwords.get("sluice_reader_2")).toBe(current?.password);
    expect(results.at(-1)).toEqual({ step: "finishSecret", databaseUser: "sluice_reader_2", loginSeen: true });
    expect(secrets.current(ARNS.writer)?.username).toBe("sluice_writer_1");
  });

  it("a rotation changes neither the current nor the previous value while it is under way", async () => {
    secrets.startRotation(ARNS.reader, "second");
    const before = secrets.current(ARNS.reader);

    for (const each of ROTATION_STEPS) {
      await rotate()(step(each), DEADLINE);
      expect(passwords.get("sluice_reader_1"), each).toBe(before?.password);
    }

    expect(await secrets.read(ARNS.reader, { stage: "AWSPREVIOUS" })).toEqual(before);
  });

  it("a rotation returns to the first user the next time", async () => {
    for (const token of ["second", "third"]) {
      secrets.startRotation(ARNS.reader, token);
      for (const each of ROTATION_STEPS) await rotate()(step(each, { token }), DEADLINE);
    }

    expect(secrets.current(ARNS.reader)?.username).toBe("sluice_reader_1");
    expect(passwords.get("sluice_reader_1")).toBe(secrets.current(ARNS.reader)?.password);
  });

  it.each(ROTATION_STEPS)(
    "a rotation whose step %s is repeated, at once and at the end, ends the same",
    async (repeated) => {
      secrets.startRotation(ARNS.reader, "second");

      for (const each of ROTATION_STEPS) {
        await rotate()(step(each), DEADLINE);
        if (each === repeated) await rotate()(step(each), DEADLINE);
      }
      const current = secrets.current(ARNS.reader);
      await rotate()(step(repeated), DEADLINE);

      expect(secrets.current(ARNS.reader)).toEqual(current);
      expect(passwords.get("sluice_reader_2")).toBe(current?.password);
      expect(passwords.get("sluice_reader_1")).toBe("first");
    },
  );

  it("a rotation never has the value of a version changed by a second run of createSecret", async () => {
    secrets.startRotation(ARNS.reader, "second");
    await rotate()(step("createSecret"), DEADLINE);
    const first = await secrets.read(ARNS.reader, { id: "second" });

    await rotate()(step("createSecret"), DEADLINE);

    expect(await secrets.read(ARNS.reader, { id: "second" })).toEqual(first);
  });
});

describe("a rotation is refused", () => {
  it.each([
    ["another secret", { secret: "arn:aws:other" }, "is no secret of the database's writer or reader"],
    ["the owner's secret", { secret: "arn:aws:secretsmanager:owner" }, "so nothing was rotated"],
    ["an unknown version", { token: "unknown" }, "has no version unknown that waits for a rotation"],
  ])("a rotation is refused for %s, at every step", async (_what, change, why) => {
    secrets.startRotation(ARNS.reader, "second");

    for (const each of ROTATION_STEPS) await expect(rotate()(step(each, change), DEADLINE)).rejects.toThrow(why);

    expect(secrets.current(ARNS.reader)?.username).toBe("sluice_reader_1");
    expect([...passwords.values()]).toEqual(["first", "first"]);
  });

  it.each([undefined, {}, step("deleteSecret"), { ...step("setSecret"), SecretId: 1 }])(
    "a rotation is refused for the event %j, with what to do",
    async (event) => {
      await expect(rotate()(event, DEADLINE)).rejects.toThrow("aws secretsmanager rotate-secret");
    },
  );

  it("a rotation is refused for a previous version, which is not to come next", async () => {
    secrets.startRotation(ARNS.reader, "second");
    for (const each of ROTATION_STEPS) await rotate()(step(each), DEADLINE);

    await expect(rotate()(step("setSecret", { token: "first" }), DEADLINE)).rejects.toThrow("has no version first");
  });

  it("a rotation is refused where the current value is for a user of another role", async () => {
    secrets.create(ARNS.reader, { username: "sluice", password: "owner" });
    secrets.startRotation(ARNS.reader, "second");

    await expect(rotate()(step("createSecret"), DEADLINE)).rejects.toThrow(
      "for sluice, which is no user of the reader",
    );
  });

  it.each(["sluice_reader_1", "sluice_writer_2", "sluice"])(
    "a rotation never sets the password of %s, which is not the other user of the role",
    async (username) => {
      secrets.startRotation(ARNS.reader, "second");
      await secrets.writePending(ARNS.reader, "second", { username, password: "planted" });

      await expect(rotate()(step("setSecret"), DEADLINE)).rejects.toThrow("is not one for sluice_reader_2");
      await expect(rotate()(step("finishSecret"), DEADLINE)).rejects.toThrow("is not one for sluice_reader_2");

      expect([...passwords.values()]).not.toContain("planted");
      expect(secrets.current(ARNS.reader)?.username).toBe("sluice_reader_1");
    },
  );

  it("a rotation is refused before its value was made", async () => {
    secrets.startRotation(ARNS.reader, "second");

    await expect(rotate()(step("setSecret"), DEADLINE)).rejects.toThrow("is not one for sluice_reader_2");
  });
});

describe("testSecret", () => {
  it("testSecret fails where the database does not know the user, and nothing is current yet", async () => {
    secrets.startRotation(ARNS.reader, "second");
    for (const each of ["createSecret", "setSecret"]) await rotate()(step(each), DEADLINE);
    const unknown = database(async () => ({ rows: [], updated: 0 }));

    await expect(rotate({ owner: unknown })(step("testSecret"), DEADLINE)).rejects.toThrow(
      "has no user sluice_reader_2 with the rights of sluice_reader. Run the migrations",
    );
  });

  it.each(["no value", "the current value"])(
    "testSecret alone, with a version of %s, tries the current login: that is the check of a configuration",
    async (what) => {
      secrets.startRotation(ARNS.reader, "second");
      const current = secrets.current(ARNS.reader);
      if (what !== "no value" && current !== undefined) await secrets.writePending(ARNS.reader, "second", current);

      expect(await rotate()(step("testSecret"), DEADLINE)).toMatchObject({ databaseUser: "sluice_reader_1" });
      passwords.set("sluice_reader_1", "another");
      await expect(rotate()(step("testSecret"), DEADLINE)).rejects.toBe(LOGIN_FAILED);
    },
  );
});

describe("finishSecret", () => {
  const untilFinish = async () => {
    secrets.startRotation(ARNS.reader, "second");
    for (const each of ["createSecret", "setSecret", "testSecret"]) await rotate()(step(each), DEADLINE);
  };

  it("finishSecret makes the version before current again when the login fails, and succeeds when it is repeated", async () => {
    await untilFinish();
    const right = passwords.get("sluice_reader_2") ?? "";
    passwords.set("sluice_reader_2", "another");

    await expect(rotate()(step("finishSecret"), DEADLINE)).rejects.toBe(LOGIN_FAILED);
    expect(secrets.current(ARNS.reader)).toEqual({ username: "sluice_reader_1", password: "first" });

    passwords.set("sluice_reader_2", right);
    await rotate()(step("finishSecret"), DEADLINE);
    expect(secrets.current(ARNS.reader)?.username).toBe("sluice_reader_2");
  });

  it("finishSecret that was ended between the move and the login makes the version before current again too", async () => {
    await untilFinish();
    await secrets.moveCurrent(ARNS.reader, { from: "first", to: "second" });
    passwords.set("sluice_reader_2", "another");

    await expect(rotate()(step("finishSecret"), DEADLINE)).rejects.toBe(LOGIN_FAILED);

    expect(secrets.current(ARNS.reader)?.username).toBe("sluice_reader_1");
  });

  it("finishSecret that is repeated during the next rotation never goes back to the value before", async () => {
    await untilFinish();
    await rotate()(step("finishSecret"), DEADLINE);
    const current = secrets.current(ARNS.reader);
    secrets.startRotation(ARNS.reader, "third");
    for (const each of ["createSecret", "setSecret"]) await rotate()(step(each, { token: "third" }), DEADLINE);
    kept = { username: "sluice_reader_2", password: "the database is out of reach" };

    await rotate()(step("finishSecret"), DEADLINE);

    expect(secrets.current(ARNS.reader)).toEqual(current);
  });

  it("finishSecret waits for the Data API to use the new value", async () => {
    await untilFinish();
    kept = secrets.current(ARNS.reader);
    const wait = vi.fn<(milliseconds: number) => Promise<void>>(async () => {
      if (wait.mock.calls.length === 3) kept = undefined;
    });

    const result = await rotate({ wait })(step("finishSecret"), DEADLINE);

    expect(result).toMatchObject({ loginSeen: true });
    expect(wait).toHaveBeenCalledTimes(3);
  });

  it("finishSecret says when the Data API uses the value before all the time, which is right as well", async () => {
    await untilFinish();
    kept = secrets.current(ARNS.reader);

    const result = await rotate()(step("finishSecret"), DEADLINE);

    expect(result).toEqual({ step: "finishSecret", databaseUser: "sluice_reader_2", loginSeen: false });
    expect(secrets.current(ARNS.reader)?.username).toBe("sluice_reader_2");
    expect(waits.reduce((total, each) => total + each, 0)).toBeLessThan(20_000);
  });
});
