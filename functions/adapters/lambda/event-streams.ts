/**
 * In the bundles this takes the place of `@smithy/core/event-streams`, which operations with an event stream need: no
 * function calls one. The SDK imports that module when it is needed; for its sake esbuild would keep all modules that it
 * shares with the clients whole, and wrap each into a function (docs/decisions/0021).
 */
export function EventStreamSerde(): never {
  throw new Error("The bundles have no event streams. Take their replacement out of lib/bundle.ts.");
}

/** Clients of services with such operations, as S3, ask for it when they are made. */
export const resolveEventStreamSerdeConfig = <Config>(config: Config): Config => config;

/** Belongs to the configuration of such clients; nothing calls it. */
export const eventStreamSerdeProvider = (): undefined => undefined;
