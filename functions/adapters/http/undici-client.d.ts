/** The client alone, without `fetch` and the rest of the package, which are as large again; and without the methods that the package adds to it. */
declare module "undici/lib/dispatcher/client.js" {
  import type { Client } from "undici";
  const BareClient: new (
    origin: string,
    options: Client.Options,
  ) => Pick<Client, "dispatch" | "destroy" | "destroyed" | "on">;
  export default BareClient;
}
