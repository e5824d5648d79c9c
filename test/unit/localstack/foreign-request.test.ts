import { hostname } from "node:os";
import { describe, expect, it } from "vitest";
import { foreignRequest } from "../../../localstack/foreign-request.ts";

describe("a request of this machine", () => {
  it.each<[host: string | undefined, origin?: string]>([
    ["127.0.0.1:4800"],
    ["127.0.0.1"],
    ["localhost:4800"],
    ["LOCALHOST."],
    ["sqs.us-east-1.localhost:9324"],
    ["[::1]:4800"],
    [undefined],
    ["127.0.0.1:4800", "http://127.0.0.1:4800"],
    ["localhost:4800", "http://localhost:3000"],
    ["[::1]:4800", "https://[::1]"],
  ])("a request of this machine with the host %s and the origin %s is accepted", (host, origin) => {
    expect(foreignRequest({ host, origin }, [])).toBeUndefined();
  });
});

describe("a request of another site", () => {
  it.each<[host: string, origin?: string]>([
    ["evil.example"],
    ["evil.example:4800"],
    ["127.0.0.1.evil.example"],
    ["127.evil.example"],
    ["localhost.evil.example"],
    ["notlocalhost"],
    ["203.0.113.5:4800"],
    ["[fe80::1]:4800"],
    ["evil.example@127.0.0.1"],
    ["evil.example, 127.0.0.1"],
    [""],
    ["127.0.0.1:4800", "https://evil.example"],
    ["127.0.0.1:4800", "https://evil.example:4800"],
    ["127.0.0.1:4800", "https://127.0.0.1.evil.example"],
    ["127.0.0.1:4800", "http://localhost@evil.example"],
    ["127.0.0.1:4800", "null"],
    ["127.0.0.1:4800", "file://"],
    ["127.0.0.1:4800", "chrome-extension://abc"],
    ["127.0.0.1:4800", ""],
  ])("a request of another site with the host %s and the origin %s is refused with the reason", (host, origin) => {
    expect(foreignRequest({ host, origin }, [])).toMatch(/does not name this machine|may not call this machine/);
  });
});

describe("a server that listens elsewhere", () => {
  it("a server that listens elsewhere is called by the name or address that was given", () => {
    const names = ["192.168.1.5", "Build.lan"];

    for (const host of ["192.168.1.5:4800", "build.lan:4800", "127.0.0.1:4800"]) {
      expect(foreignRequest({ host, origin: `http://${host}` }, names)).toBeUndefined();
    }
    expect(foreignRequest({ host: "192.168.1.6" }, names)).toBeDefined();
    expect(foreignRequest({ host: "192.168.1.5", origin: "http://192.168.1.6" }, names)).toBeDefined();
  });

  it.each(["0.0.0.0", "::"])("a server that listens on %s is called by any address and this machine's name", (all) => {
    const own = hostname();

    for (const host of ["192.168.1.5:4800", "[fe80::1]:4800", own, `${own}.local:4800`]) {
      expect(foreignRequest({ host, origin: `http://${host}` }, [all])).toBeUndefined();
    }
    expect(foreignRequest({ host: "evil.example" }, [all])).toBeDefined();
    for (const origin of ["https://evil.example", "http://203.0.113.5"]) {
      expect(foreignRequest({ host: "192.168.1.5:4800", origin }, [all])).toBeDefined();
    }
  });
});
