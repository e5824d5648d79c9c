const LOOPBACK = ["localhost", "127.0.0.1", "[::1]", "::1"];

/**
 * Keeps requests to this machine from going through a proxy, where the shell has NODE_USE_ENV_PROXY and HTTP_PROXY.
 * @see https://nodejs.org/api/http.html#built-in-proxy-support
 */
export function reachLoopbackDirectly(environment: NodeJS.ProcessEnv): void {
  for (const name of ["NO_PROXY", "no_proxy"]) {
    const before = environment[name];
    environment[name] = [...(before === undefined || before === "" ? [] : [before]), ...LOOPBACK].join(",");
  }
}
