/** API Gateway treats a request or response without a media type as JSON. */
const DEFAULT_MEDIA_TYPE = "application/json";

/**
 * Tells whether a media type is one of the API's binary ones (`*` matches any part).
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings.html
 */
export function isBinary(binaryMediaTypes: string[], mediaType: string | undefined): boolean {
  const [type, subtype] = partsOf(mediaType ?? DEFAULT_MEDIA_TYPE);
  return binaryMediaTypes.some((binary) => {
    const [binaryType, binarySubtype] = partsOf(binary);
    return (binaryType === "*" || binaryType === type) && (binarySubtype === "*" || binarySubtype === subtype);
  });
}

function partsOf(mediaType: string): [string, string] {
  const [essence = ""] = mediaType.split(/[;,]/, 1);
  const [type = "", subtype = ""] = essence.trim().toLowerCase().split("/");
  return [type, subtype];
}
