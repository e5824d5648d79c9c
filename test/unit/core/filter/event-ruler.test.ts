import { describe, expect, it } from "vitest";
import { dataMatches, json } from "./support.ts";

/**
 * The README of aws/event-ruler as tests. Its patterns are about a whole event; ours are about the data of one.
 * @see https://github.com/aws/event-ruler
 */
const SAMPLE = json(`{
  "version": "0",
  "id": "ddddd4-aaaa-7777-4444-345dd43cc333",
  "detail-type": "EC2 Instance State-change Notification",
  "source": "aws.ec2",
  "time": "2017-10-02T16:24:49Z",
  "resources": ["arn:aws:ec2:us-east-1:123456789012:instance/i-000000aaaaaa00000"],
  "detail": {
    "c-count": 5, "d-count": 3, "x-limit": 301.8, "source-ip": "10.0.0.33",
    "instance-id": "i-000000aaaaaa00000", "state": "running", "owner": null, "spot": false
  }
}`) as Record<string, unknown>;

const detail = (name: string, ...conditions: unknown[]) => ({ detail: { [name]: conditions } });
const source = (...conditions: unknown[]) => ({ source: conditions });

const MATCHING: [string, unknown][] = [
  [
    "several members",
    { "detail-type": ["EC2 Instance State-change Notification"], detail: { state: ["initializing", "running"] } },
  ],
  ["one element of an array", { resources: ["arn:aws:ec2:us-east-1:123456789012:instance/i-000000aaaaaa00000"] }],
  ["a number, a boolean and null", { detail: { "c-count": [5], spot: [false], owner: [null] } }],
  ["prefix", { time: [{ prefix: "2017-10-02" }] }],
  ["prefix without case", source({ prefix: { "equals-ignore-case": "AWS." } })],
  ["suffix", source({ suffix: "ec2" })],
  ["suffix without case", source({ suffix: { "equals-ignore-case": ".EC2" } })],
  ["equals-ignore-case", source({ "equals-ignore-case": "AWS.EC2" })],
  ["wildcard in the middle", source({ wildcard: "aws*2" })],
  ["wildcard for nothing", source({ wildcard: "*aws.ec2*" })],
  ["several wildcards", source({ wildcard: "a*.*2" })],
  ["anything-but a text", detail("state", { "anything-but": "initializing" })],
  ["anything-but a number", detail("x-limit", { "anything-but": 123 })],
  ["anything-but texts", detail("state", { "anything-but": ["stopped", "overloaded"] })],
  ["anything-but numbers", detail("x-limit", { "anything-but": [100, 200, 300] })],
  ["anything-but a prefix", detail("state", { "anything-but": { prefix: "init" } })],
  ["anything-but prefixes", detail("state", { "anything-but": { prefix: ["init", "error"] } })],
  ["anything-but a suffix", detail("instance-id", { "anything-but": { suffix: "1234" } })],
  ["anything-but suffixes", detail("instance-id", { "anything-but": { suffix: ["1234", "6789"] } })],
  ["anything-but without case", detail("state", { "anything-but": { "equals-ignore-case": "Stopped" } })],
  [
    "anything-but several without case",
    detail("state", { "anything-but": { "equals-ignore-case": ["Stopped", "OverLoaded"] } }),
  ],
  ["anything-but a wildcard", detail("state", { "anything-but": { wildcard: "*/bin/*.jar" } })],
  ["anything-but wildcards", detail("state", { "anything-but": { wildcard: ["*/bin/*.jar", "*/bin/*.class"] } })],
  ["a value of another type than anything-but", detail("c-count", { "anything-but": "5" })],
  ["null is anything but a text", detail("owner", { "anything-but": "x" })],
  ["numeric range", detail("c-count", { numeric: [">", 0, "<=", 5] })],
  ["numeric bound", detail("d-count", { numeric: ["<", 10] })],
  ["numeric equality of another spelling", detail("x-limit", { numeric: ["=", json("3.018e2")] })],
  ["cidr", detail("source-ip", { cidr: "10.0.0.0/24" })],
  ["exists", detail("c-count", { exists: true })],
  ["null exists", detail("owner", { exists: true })],
  ["exists false", detail("e-count", { exists: false })],
  ["exists false below a missing object", { other: { deep: [{ exists: false }] } }],
  ["exists false for an object, which is no leaf", { detail: [{ exists: false }] }],
  [
    "the complex example",
    {
      time: [{ prefix: "2017-10-02" }],
      detail: {
        state: [{ "anything-but": "initializing" }],
        "c-count": [{ numeric: [">", 0, "<=", 5] }],
        "d-count": [{ numeric: ["<", 10] }],
        "x-limit": [{ "anything-but": [100, 200, 300] }],
        "source-ip": [{ cidr: "10.0.0.0/8" }],
      },
    },
  ],
];

const OTHERS: [string, unknown][] = [
  ["a member that is missing", detail("e-count", 5)],
  ["one member that differs", { source: ["aws.ec2"], detail: { state: ["stopped"] } }],
  ["a text for a number", detail("c-count", "5")],
  ["a number for a text", source(5)],
  ["null for what is missing", detail("e-count", null)],
  ["prefix of a number", detail("c-count", { prefix: "5" })],
  ["prefix with case", source({ prefix: "AWS" })],
  ["suffix", source({ suffix: "ec" })],
  ["equals-ignore-case of another text", source({ "equals-ignore-case": "AWS.EC" })],
  ["wildcard", source({ wildcard: "aws*3" })],
  ["wildcard without a star is the whole text", source({ wildcard: "aws" })],
  ["anything-but what it is", detail("state", { "anything-but": "running" })],
  ["anything-but its number", detail("x-limit", { "anything-but": json("301.80") })],
  ["anything-but one of its texts", detail("state", { "anything-but": ["stopped", "running"] })],
  ["anything-but its prefix", detail("state", { "anything-but": { prefix: ["init", "run"] } })],
  ["anything-but its suffix", detail("state", { "anything-but": { suffix: "ing" } })],
  ["anything-but itself without case", detail("state", { "anything-but": { "equals-ignore-case": "RUNNING" } })],
  ["anything-but its wildcard", detail("state", { "anything-but": { wildcard: "r*g" } })],
  ["anything-but of what is missing", detail("e-count", { "anything-but": 5 })],
  ["numeric range", detail("c-count", { numeric: [">", 5, "<=", 10] })],
  ["numeric of a text", detail("source-ip", { numeric: [">", 0] })],
  ["cidr", detail("source-ip", { cidr: "10.0.1.0/24" })],
  ["cidr of no address", detail("state", { cidr: "0.0.0.0/0" })],
  ["exists of an object, which is no leaf", { detail: [{ exists: true }] }],
  ["exists of what is missing", detail("e-count", { exists: true })],
  ["exists false of what is there", detail("owner", { exists: false })],
];

describe("a pattern of event-ruler", () => {
  it.each(MATCHING)("a pattern of event-ruler matches its sample: %s", (_what, pattern) => {
    expect(dataMatches(pattern, SAMPLE)).toBe(true);
  });

  it.each(OTHERS)("a pattern of event-ruler does not match its sample: %s", (_what, pattern) => {
    expect(dataMatches(pattern, SAMPLE)).toBe(false);
  });
});

describe("$or", () => {
  const cloudWatch = {
    source: "aws.cloudwatch",
    metricName: "ReadLatency",
    metricType: "MetricType",
    namespace: "AWS/EC2",
    metricId: 1234,
  };
  const or = (...patterns: unknown[]) => ({ source: ["aws.cloudwatch"], $or: patterns });
  const nested = or(
    { metricName: ["CPUUtilization"] },
    { metricType: ["MetricType"], namespace: ["AWS/EC2"], $or: [{ metricId: [1234] }, { spaceId: [1000] }] },
    { scope: ["Service"] },
  );

  it.each([
    ["the first", or({ metricName: ["CPUUtilization", "ReadLatency"] }, { namespace: ["AWS/ES"] }), {}, true],
    ["the second", or({ metricName: ["CPUUtilization"] }, { namespace: ["AWS/EC2", "AWS/ES"] }), {}, true],
    ["none", or({ metricName: ["CPUUtilization"] }, { namespace: ["AWS/ES"] }), {}, false],
    [
      "one, but not what is beside it",
      or({ metricName: ["ReadLatency"] }, { namespace: ["AWS/EC2"] }),
      { source: "x" },
      false,
    ],
    ["one inside another", nested, {}, true],
    ["none inside another", nested, { metricId: 5 }, false],
    ["another one inside", nested, { metricId: 5, spaceId: 1000 }, true],
    ["only a part of its and", nested, { metricType: "x" }, false],
  ])("$or needs one of its patterns: %s", (_what, pattern, changes, expected) => {
    expect(dataMatches(pattern, { ...cloudWatch, ...changes })).toBe(expected);
  });

  it("two $or at different levels must both hold", () => {
    const pattern = {
      $or: [{ metricName: ["CPUUtilization"] }, { namespace: ["AWS/EC2"] }],
      detail: { $or: [{ source: ["a"] }, { "detail-type": ["b"] }] },
    };

    expect(dataMatches(pattern, { namespace: "AWS/EC2", detail: { "detail-type": "b" } })).toBe(true);
    expect(dataMatches(pattern, { namespace: "AWS/EC2", detail: { "detail-type": "c" } })).toBe(false);
    expect(dataMatches(pattern, { detail: { source: "a" } })).toBe(false);
  });
});

describe("arrays", () => {
  const EMPLOYEES = [
    { firstName: "John", lastName: "Doe" },
    { firstName: "Anna", lastName: "Smith" },
    { firstName: "Peter", lastName: "Jones" },
  ];
  const anna = (lastName: string) => ({ employees: { firstName: ["Anna"], lastName: [lastName] } });

  it.each([
    ["one level", EMPLOYEES],
    ["two levels", [EMPLOYEES.slice(0, 2), EMPLOYEES.slice(2)]],
  ])("conditions below an array of %s hold for the same element", (_levels, employees) => {
    expect(dataMatches({ employees: { firstName: ["Anna"] } }, { employees })).toBe(true);
    expect(dataMatches(anna("Smith"), { employees })).toBe(true);
    expect(dataMatches(anna("Jones"), { employees })).toBe(false);
  });

  it("a condition of $or holds for the same element as the condition beside it", () => {
    const pattern = {
      employees: { firstName: ["Anna"] },
      $or: [{ employees: { lastName: ["Jones"] } }, { other: [1] }],
    };

    expect(dataMatches(pattern, { employees: EMPLOYEES })).toBe(false);
    expect(dataMatches(pattern, { employees: [...EMPLOYEES, { firstName: "Anna", lastName: "Jones" }] })).toBe(true);
  });

  it("arrays below one element keep to that element", () => {
    const pattern = { orders: { id: [2], lines: { sku: ["x"], count: [1] } } };
    const orders = [
      { id: 1, lines: [{ sku: "x", count: 1 }] },
      {
        id: 2,
        lines: [
          { sku: "x", count: 2 },
          { sku: "y", count: 1 },
        ],
      },
    ];

    expect(dataMatches(pattern, { orders })).toBe(false);
    expect(dataMatches(pattern, { orders: [...orders, { id: 2, lines: [[{ sku: "x", count: 1 }]] }] })).toBe(true);
  });

  it("anything-but holds where one element is something else", () => {
    expect(dataMatches({ a: [{ "anything-but": 1 }] }, { a: [1, 2] })).toBe(true);
    expect(dataMatches({ a: [{ "anything-but": 1 }] }, { a: [1, [1]] })).toBe(false);
  });

  it("an empty array and an empty object have no value", () => {
    for (const a of [[], {}, [[]], [{}]]) {
      expect(dataMatches({ a: [{ exists: true }] }, { a })).toBe(false);
      expect(dataMatches({ a: [{ exists: false }] }, { a })).toBe(true);
    }
  });

  it("exists false alone holds where no element has the value", () => {
    const pattern = { a: { x: [{ exists: false }] } };

    expect(dataMatches(pattern, { a: [{ y: 1 }, {}] })).toBe(true);
    expect(dataMatches(pattern, { a: [{ x: 1 }, { y: 1 }] })).toBe(false);
  });

  it("exists false beside a value holds for the element that has the value", () => {
    const pattern = { a: { y: [1], x: [{ exists: false }] } };

    expect(dataMatches(pattern, { a: [{ x: 1 }, { y: 1 }] })).toBe(true);
    expect(dataMatches(pattern, { a: [{ x: 1, y: 1 }, { y: 2 }] })).toBe(false);
  });

  it("a value or nothing at all", () => {
    const pattern = { a: { x: [null, { exists: false }] } };

    expect(dataMatches(pattern, { a: [{ x: 1 }, { x: null }] })).toBe(true);
    expect(dataMatches(pattern, { a: [{ y: 1 }] })).toBe(true);
    expect(dataMatches(pattern, { a: [{ y: 1 }, { x: 1 }] })).toBe(false);
  });
});

describe("wildcards", () => {
  it.each([
    ["a\\*b", "a*b", true],
    ["a\\*b", "axb", false],
    ["a\\\\*", "a\\x", true],
    ["*", "", true],
    ["*", "a\nb", true],
    ["a*a", "a", false],
    ["a*a", "aa", true],
    ["*ab*ab*", "abab", true],
    ["*ab*ab*", "ab", false],
    ["%_", "xx", false],
    ["*\u{1f680}*", "a\u{1f680}b", true],
    ["a*b*c", "abcbc", true],
  ])("%j is %j: %s", (wildcard, text, expected) => {
    expect(dataMatches({ a: [{ wildcard }] }, { a: text })).toBe(expected);
  });
});

describe("addresses", () => {
  it.each([
    ["10.0.0.0/24", "10.0.0.255", true],
    ["10.0.0.77/24", "10.0.0.1", true],
    ["10.0.0.0/24", "10.0.1.0", false],
    ["0.0.0.0/0", "255.255.255.255", true],
    ["0.0.0.0/0", "::1", false],
    ["10.0.0.1/32", "10.0.0.1", true],
    ["10.0.0.0/8", "010.0.0.1", false],
    ["10.0.0.0/8", "10.0.0.1/24", false],
    ["10.0.0.0/8", "10.0.0", false],
    ["2001:db8::/32", "2001:DB8:0:1::5", true],
    ["2001:db8::/32", "2001:db9::", false],
    ["::/0", "::ffff:10.0.0.1", true],
    ["::ffff:10.0.0.0/104", "::ffff:10.9.9.9", true],
    ["10.0.0.0/8", "::ffff:10.0.0.1", false],
    ["::/0", "1::2::3", false],
    ["::/0", "1:2:3:4:5:6:7::", true],
    ["::/0", "1:2:3:4:5:6:7:8::", false],
    ["::/0", "fe80::1%eth0", false],
  ])("%s has %s: %s", (cidr, a, expected) => {
    expect(dataMatches({ a: [{ cidr }] }, { a })).toBe(expected);
  });
});
