import { syncBuiltinESMExports } from "node:module";
import { type MockInstance, onTestFinished, vi } from "vitest";

/**
 * Records the calls of a function of a built-in module for the rest of a test, also those of modules that were loaded before:
 * files of a project share them.
 */
export function spyOnBuiltIn<Name extends string, F extends (...words: never[]) => unknown>(
  builtIn: Record<Name, F>,
  name: Name,
): MockInstance<F> {
  const real = builtIn[name];
  const spy = vi.fn<F>(real);
  builtIn[name] = spy;
  syncBuiltinESMExports();
  onTestFinished(() => {
    builtIn[name] = real;
    syncBuiltinESMExports();
  });
  return spy;
}
