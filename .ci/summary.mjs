import { readFileSync } from "node:fs";
import { basename, relative } from "node:path";

/** Enough for the message of an error and its calls in this repository. */
const ERROR_LINES = 12;
const LINE_CHARACTERS = 300;
const COLOUR = /\u001B\[[\d;]*m/g;

/** A call of the runner or of Node in a stack trace. */
const FOREIGN_CALL = /^\s*at .*(?:node_modules|node:|<anonymous>)/;

/**
 * Prints each failed test of vitest's JSON reports: its file, its full name and the beginning of its error. The last line is
 * the count of all reports. A file that failed outside of its tests and a run that failed without a failed test count as one.
 * Arguments: the file of each report, followed by the exit code of its run.
 */
const words = process.argv.slice(2);
let passed = 0;
const failures = [];
for (let at = 0; at < words.length; at += 2) {
  const { report, found } = read(words[at]);
  passed += report?.numPassedTests ?? 0;
  failures.push(...found);
  if (found.length === 0 && words[at + 1] !== "0")
    failures.push(
      `${basename(words[at], ".json")}: the run ended with exit code ${words[at + 1]} and ` +
        `${report === undefined ? "without a report" : "no failed test"}. Its output has the error.`,
    );
}
if (failures.length > 0) console.log(`\nFailed:\n\n${failures.join("\n\n")}\n`);
console.log(`${passed} passed, ${failures.length} failed`);
process.exitCode = failures.length === 0 ? 0 : 1;

function read(path) {
  let report;
  try {
    report = JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return { report, found: [] };
  }
  const found = report.testResults.flatMap(({ name, status, message, assertionResults }) => {
    const file = `${basename(path, ".json")}: ${relative(process.cwd(), name)}`;
    const failed = assertionResults.filter((each) => each.status === "failed");
    if (failed.length === 0 && status === "failed")
      return [`${file}: the file failed outside of its tests\n${beginning(message)}`];
    return failed.map((each) => `${file}: ${each.fullName}\n${beginning(each.failureMessages.join("\n"))}`);
  });
  return { report, found };
}

function beginning(text) {
  const lines = text.replaceAll(COLOUR, "").split("\n");
  return lines
    .filter((line) => line.trim() !== "" && !FOREIGN_CALL.test(line))
    .slice(0, ERROR_LINES)
    .map((line) => `    ${line.slice(0, LINE_CHARACTERS)}`)
    .join("\n");
}
