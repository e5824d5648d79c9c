import { connect, createServer, type AddressInfo, type Socket } from "node:net";

export type ServiceFront = {
  readonly url: string;
  /** `hang`: it takes connections and never answers. `refuse`: it closes each connection. Open ones are closed. */
  set(mode: "pass" | "hang" | "refuse"): void;
  stop(): Promise<void>;
};

/** A front of a service on this machine that can stop answering. */
export async function startServiceFront(endpoint: string): Promise<ServiceFront> {
  const { hostname, port } = new URL(endpoint);
  const open = new Set<Socket>();
  let mode: "pass" | "hang" | "refuse" = "pass";
  const closeAll = () => {
    for (const socket of open) socket.destroy();
  };
  const server = createServer((incoming) => {
    incoming.on("error", () => undefined).on("close", () => open.delete(incoming));
    if (mode === "refuse") return void incoming.destroy();
    open.add(incoming);
    if (mode === "hang") return void incoming.resume();
    const outgoing = connect(Number(port), hostname);
    outgoing.on("error", () => incoming.destroy());
    incoming.on("close", () => outgoing.destroy());
    incoming.pipe(outgoing).pipe(incoming);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    set(next) {
      mode = next;
      closeAll();
    },
    stop: () =>
      new Promise((stopped) => {
        closeAll();
        server.close(() => stopped());
      }),
  };
}
