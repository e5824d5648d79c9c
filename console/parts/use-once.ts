import { useRef } from "preact/hooks";

/**
 * The headers with which a form that is open starts a job once, however often it is sent: the same idempotency key for the same
 * body. Another opening of the form has other keys.
 */
export function useOnce(): (body: unknown) => Readonly<Record<string, string>> {
  const keys = useRef(new Map<string, string>());
  return (body) => {
    const text = JSON.stringify(body);
    const key = keys.current.get(text) ?? crypto.randomUUID();
    keys.current.set(text, key);
    return { "idempotency-key": key };
  };
}
