import { RequestError } from "./errors.ts";

/** Makes the error of a query parameter; `message` goes on after its name. */
export function badParameter(name: string, message: string): RequestError {
  return new RequestError("bad_parameter", `${name.toWellFormed()} ${message}.`, {
    members: { parameter: name.toWellFormed() },
  });
}
