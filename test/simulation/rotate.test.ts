import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createDataApi } from "../../functions/adapters/data-api/data-api.ts";
import { createEventReader } from "../../functions/adapters/data-api/event-reader.ts";
import { createEventStore } from "../../functions/adapters/data-api/event-store.ts";
import { scramVerifier, setPassword } from "../../functions/adapters/data-api/set-password.ts";
import type { DatabaseRole, DatabaseSecrets } from "../../functions/core/database-roles.ts";
import type { SqlDatabase } from "../../functions/core/ports.ts";
import { createCurrentCredentials } from "../../functions/migrate/current-credentials.ts";
import { createMigrate } from "../../functions/migrate/migrate.ts";
import { createRotate, ROTATION_STEPS } from "../../functions/rotate/rotate.ts";
import { type DataApiServer, startDataApi } from "../../localstack/data-api/data-api.ts";
import { secretOfUrl } from "../../localstack/data-api/secrets.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { ROLE_SECRET_ARNS, soon, TARGET } from "../support/database.ts";
import { MIGRATIONS, NOW } from "../support/migrations.ts";
import { storable } from "../support/event-samples.ts";
import { eventually } from "../support/eventually.ts";
import { stubAws } from "../support/local-aws.ts";
import { memorySecrets, type MemorySecrets } from "../support/memory-secrets.ts";

const ROLES = ["writer", "reader"] as const;

let cluster: TestCluster;
let server: DataApiServer;
let secrets: MemorySecrets;
let owner: SqlDatabase;
let logins: Record<DatabaseRole, SqlDatabase>;
beforeAll(async () => {
  cluster = await startCluster();
  const ownerSecret = secretOfUrl(TARGET.SECRET_ARN, cluster.postgres.url);
  server = await startDataApi({
    databaseUrl: cluster.postgres.url,
    clusterArn: TARGET.CLUSTER_ARN,
    databaseName: TARGET.DATABASE_NAME,
    readSecret: async (arn) => (await ownerSecret(arn)) ?? secrets.current(arn),
  });
  stubAws({ AWS_ENDPOINT_URL_RDS_DATA: server.url });
  owner = createDataApi(TARGET);
  logins = {
    writer: createDataApi({ ...TARGET, SECRET_ARN: ROLE_SECRET_ARNS.writer }),
    reader: createDataApi({ ...TARGET, SECRET_ARN: ROLE_SECRET_ARNS.reader }),
  };
});
afterAll(async () => {
  await server.stop();
  await cluster.remove();
  vi.unstubAllEnvs();
});

const migrate = () =>
  createMigrate({
    database: owner,
    clock: () => NOW,
    credentials: createCurrentCredentials({ secrets, secretArns: ROLE_SECRET_ARNS }),
    setPassword,
  })(MIGRATIONS, soon());

/** A deployment: the secrets are made first, and then the migrations run. */
beforeEach(async () => {
  secrets = memorySecrets();
  for (const role of ROLES)
    secrets.create(ROLE_SECRET_ARNS[role], { username: `sluice_${role}_1`, password: randomUUID() });
  await migrate();
});

const userOf = async (role: DatabaseRole) =>
  (await logins[role].execute("select cast(current_user as text)", {}, soon())).rows[0]?.[0];

/** Ends the run after its nth effect on the world outside, as a crash of the function does. */
class Killed extends Error {}
function killedAfter(nth: number) {
  let effects = 0;
  const effect = async <T>(work: Promise<T>): Promise<T> => {
    const result = await work;
    effects += 1;
    if (effects === nth) throw new Killed();
    return result;
  };
  const database = (real: SqlDatabase): SqlDatabase => ({
    ...real,
    execute: (...call) => effect(real.execute(...call)),
  });
  const killable: DatabaseSecrets = {
    read: (...call) => effect(secrets.read(...call)),
    stages: (...call) => effect(secrets.stages(...call)),
    writePending: (...call) => effect(secrets.writePending(...call)),
    moveCurrent: (...call) => effect(secrets.moveCurrent(...call)),
  };
  const rotate = createRotate({
    secrets: killable,
    secretArns: ROLE_SECRET_ARNS,
    owner: database(owner),
    logins: { writer: database(logins.writer), reader: database(logins.reader) },
    setPassword,
    newPassword: randomUUID,
    wait: async () => undefined,
  });
  return { rotate };
}

/** One rotation as Secrets Manager runs it: it repeats a step that was killed. Returns whether one was. */
async function rotation(role: DatabaseRole, nth = Number.POSITIVE_INFINITY): Promise<boolean> {
  const token = randomUUID();
  secrets.startRotation(ROLE_SECRET_ARNS[role], token);
  const { rotate } = killedAfter(nth);
  let killed = false;
  for (const Step of ROTATION_STEPS) {
    const event = { SecretId: ROLE_SECRET_ARNS[role], ClientRequestToken: token, Step };
    await rotate(event, soon()).catch(async (error: unknown) => {
      if (!(error instanceof Killed)) throw error;
      killed = true;
      await rotate(event, soon());
    });
  }
  return killed;
}

describe("a deployment", () => {
  it("a deployment gives the users of both secrets their passwords, and no other user one", async () => {
    expect(await userOf("writer")).toBe("sluice_writer_1");
    expect(await userOf("reader")).toBe("sluice_reader_1");

    secrets.create(ROLE_SECRET_ARNS.reader, { username: "sluice_reader_2", password: "never set" });
    await expect(userOf("reader")).rejects.toMatchObject({ sqlState: "28P01", disposition: "stop" });
  });

  it("a deployment repairs a secret that was made again", async () => {
    secrets.create(ROLE_SECRET_ARNS.writer, { username: "sluice_writer_1", password: randomUUID() });
    await expect(userOf("writer")).rejects.toMatchObject({ sqlState: "28P01" });

    expect(await migrate()).toMatchObject({ passwordsSet: ["sluice_writer_1", "sluice_reader_1"] });

    expect(await userOf("writer")).toBe("sluice_writer_1");
  });

  it("a deployment fails where a secret cannot be read, after the partitions are made", async () => {
    const missing = createMigrate({
      database: owner,
      clock: () => new Date(NOW.getTime() + 30 * 86_400_000),
      credentials: createCurrentCredentials({
        secrets: memorySecrets(),
        secretArns: ROLE_SECRET_ARNS,
      }),
      setPassword,
    });

    await expect(missing(MIGRATIONS, soon())).rejects.toThrow(`${ROLE_SECRET_ARNS.writer} has no current value`);

    const { rows } = await owner.execute("select to_regclass('events_keep_20270101') is not null", {}, soon());
    expect(rows).toEqual([[true]]);
  });

  it("a deployment into a second database of the cluster fails, and takes no password from the first", async () => {
    const superuser = new URL(cluster.postgres.url);
    superuser.username = "postgres";
    const client = new Client(superuser.href);
    await client.connect();
    await client.query("create database second owner sluice");
    const url = new URL(cluster.postgres.url);
    url.pathname = "/second";
    const second = await startDataApi({
      databaseUrl: url.href,
      clusterArn: TARGET.CLUSTER_ARN,
      databaseName: "second",
      readSecret: secretOfUrl(TARGET.SECRET_ARN, url.href),
    });
    try {
      vi.stubEnv("AWS_ENDPOINT_URL_RDS_DATA", second.url);
      const migrateSecond = createMigrate({
        database: createDataApi({ ...TARGET, DATABASE_NAME: "second" }),
        clock: () => NOW,
        credentials: async () => [{ username: "sluice_writer_1", password: "of the second" }],
        setPassword,
      });

      await expect(migrateSecond(MIGRATIONS, soon())).rejects.toThrow(
        "passwords: ERROR: The user sluice_writer_1 belongs to the stack with the database events.",
      );
    } finally {
      vi.stubEnv("AWS_ENDPOINT_URL_RDS_DATA", server.url);
      await second.stop();
      await client.query("drop database second with (force)");
      await client.end();
    }
    expect(await userOf("writer")).toBe("sluice_writer_1");
  });

  it.each(["x", "with space", "~!@#$%^&*()_+{}|:<>?'\\\"", "a".repeat(500)])(
    "a deployment sets the password %j so that PostgreSQL accepts it",
    async (password) => {
      secrets.create(ROLE_SECRET_ARNS.reader, { username: "sluice_reader_1", password });

      await migrate();

      expect(await userOf("reader")).toBe("sluice_reader_1");
    },
  );

  it.each(["", "größe", "a\u0000b", "a\nb"])(
    "a password of the database cannot be %j, which SASLprep changes or refuses",
    (password) => {
      expect(() => scramVerifier(password, Buffer.alloc(16))).toThrow("must be printable ASCII");
    },
  );
});

describe("a rotation", () => {
  it("a rotation killed after any of its effects and repeated fails no call of a reader and a writer", async () => {
    const traffic = startTraffic();
    try {
      for (const role of ROLES) {
        let nth = 1;
        for (let killed = true; killed; nth += 1) {
          const before = secrets.current(ROLE_SECRET_ARNS[role]);

          killed = await rotation(role, nth);

          expect(secrets.current(ROLE_SECRET_ARNS[role])?.username).not.toBe(before?.username);
          // Rotations are days apart: whoever has read the value before has used it by the next one.
          await traffic.moreCalls();
        }
        // It was killed in each of the four steps.
        expect(nth).toBeGreaterThan(12);
      }
    } finally {
      await traffic.stop();
    }

    expect(traffic.failures).toEqual([]);
    expect(traffic.calls.reader).toBeGreaterThan(30);
    expect(traffic.calls.writer).toBeGreaterThan(30);
    expect(await userOf("reader")).toBe(secrets.current(ROLE_SECRET_ARNS.reader)?.username);
  });

  it("a rotation leaves the value before in force, for who has kept it", async () => {
    await rotation("reader");
    const previous = await secrets.read(ROLE_SECRET_ARNS.reader, { stage: "AWSPREVIOUS" });

    secrets.create(ROLE_SECRET_ARNS.reader, previous ?? { username: "none", password: "none" });

    expect(await userOf("reader")).toBe("sluice_reader_1");
  });

  it("a rotation whose new password does not log in leaves the value before current", async () => {
    const token = randomUUID();
    secrets.startRotation(ROLE_SECRET_ARNS.reader, token);
    const { rotate } = killedAfter(Number.POSITIVE_INFINITY);
    for (const Step of ["createSecret", "setSecret", "testSecret"])
      await rotate({ SecretId: ROLE_SECRET_ARNS.reader, ClientRequestToken: token, Step }, soon());
    await setPassword(owner.execute, { username: "sluice_reader_2", password: "another" }, soon());

    const finish = rotate(
      { SecretId: ROLE_SECRET_ARNS.reader, ClientRequestToken: token, Step: "finishSecret" },
      soon(),
    );

    await expect(finish).rejects.toMatchObject({ sqlState: "28P01" });
    expect(await userOf("reader")).toBe("sluice_reader_1");
  });
});

/** Shorter than any effect of a rotation; without a pause the calls alone would keep a core busy. */
const TRAFFIC_PAUSE_MS = 5;

/** A reader and a writer, who call again and again. */
function startTraffic() {
  const store = createEventStore(logins.writer);
  const reader = createEventReader(logins.reader);
  const calls = { writer: 0, reader: 0 };
  const failures: unknown[] = [];
  const stopping = new AbortController();
  const again = async (name: DatabaseRole, call: (n: number) => Promise<unknown>) => {
    while (!stopping.signal.aborted) {
      await call(calls[name]).catch((error: unknown) => failures.push(error));
      calls[name] += 1;
      await delay(TRAFFIC_PAUSE_MS);
    }
  };
  const loops = [
    again("writer", (n) => store.store([storable({ id: `traffic-${n}` })], soon())),
    again("reader", (n) => reader.find({ tenant: "default", id: `traffic-${n}`, source: undefined }, soon())),
  ];
  return {
    calls,
    failures,
    /** Waits for a call of each that began from now on. */
    async moreCalls() {
      const wanted = { writer: calls.writer + 2, reader: calls.reader + 2 };
      await eventually(
        () => calls,
        ({ writer, reader }) => writer >= wanted.writer && reader >= wanted.reader,
      );
    },
    async stop() {
      stopping.abort();
      await Promise.all(loops);
    },
  };
}
