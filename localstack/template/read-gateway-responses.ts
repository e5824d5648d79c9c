import type { GatewayResponseModel } from "./model.ts";
import { propertiesOf, type Shape } from "./properties.ts";
import type { Resolver } from "./resolver.ts";
import { TemplateError } from "./template.ts";

const GATEWAY_RESPONSE: Shape = {
  used: ["ResponseParameters", "ResponseTemplates", "ResponseType", "StatusCode"],
  inert: ["RestApiId"],
};

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gatewayResponse-definition.html */
export function readGatewayResponses(resolver: Resolver): GatewayResponseModel[] {
  return resolver.idsOf("AWS::ApiGateway::GatewayResponse").map((logicalId) => {
    const properties = propertiesOf(resolver, logicalId, GATEWAY_RESPONSE);
    const parameters = Object.entries(properties.textRecord("ResponseParameters"));
    return {
      type: properties.text("ResponseType"),
      statusCode: properties.optionalNumber("StatusCode"),
      headers: Object.fromEntries(parameters.map(([key, value]) => header(key, value, properties.path))),
      templates: properties.textRecord("ResponseTemplates"),
    };
  });
}

/** `gatewayresponse.header.Name: "'literal'"`. A value copied from the request is an error. */
function header(key: string, value: string, path: string): [string, string] {
  const name = /^gatewayresponse\.header\.(.+)$/.exec(key)?.[1];
  const literal = /^'(.*)'$/s.exec(value)?.[1];
  if (name !== undefined && literal !== undefined) return [name, literal];
  throw new TemplateError(`${path}.ResponseParameters: ${key}: ${value} is not a header with a literal in quotes.`);
}
