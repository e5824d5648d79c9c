/** The methods of each path of the API, without its routes, most of which another function answers. */
export { allowedMethods } from "#allowed-methods";
