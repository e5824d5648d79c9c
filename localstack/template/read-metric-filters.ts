import type { MetricFilterModel } from "./model.ts";
import { type Properties, propertiesOf, type Shape } from "./properties.ts";
import type { Resolver } from "./resolver.ts";
import { TemplateError } from "./template.ts";

/** docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-logs-metricfilter.html */
const FILTER: Shape = {
  used: ["FilterPattern", "LogGroupName", "MetricTransformations"],
  inert: ["FilterName"],
};
const TRANSFORMATION: Shape = {
  used: ["Dimensions", "MetricName", "MetricNamespace", "MetricValue"],
  inert: ["Unit"],
};
const DIMENSION: Shape = { used: ["Key", "Value"], inert: [] };

/** Of the pattern syntax, the local stack has the comparison of one member's number with a constant from below. */
const PATTERN = /^\{ \$\.(\w+) >= (\d+(?:\.\d+)?) \}$/;
const MEMBER = /^\$\.(\w+)$/;

/** The metric filters of the stack's log groups. */
export function readMetricFilters(resolver: Resolver): MetricFilterModel[] {
  return resolver.idsOf("AWS::Logs::MetricFilter").flatMap((logicalId) => {
    const properties = propertiesOf(resolver, logicalId, FILTER);
    const pattern = properties.text("FilterPattern");
    const [, member, least] = PATTERN.exec(pattern) ?? [];
    if (member === undefined) {
      throw new TemplateError(
        `${properties.path}.FilterPattern: ${pattern} is not known locally, \`{ $.Name >= 0 }\` is. Use that, or teach ` +
          "localstack/lambda/datapoints.ts.",
      );
    }
    return properties.objects("MetricTransformations", TRANSFORMATION).map((transformation) => ({
      logGroup: properties.text("LogGroupName"),
      matches: { member, least: Number(least) },
      namespace: transformation.text("MetricNamespace"),
      name: transformation.text("MetricName"),
      value: memberOf(transformation, "MetricValue"),
      dimensions: Object.fromEntries(
        transformation
          .objects("Dimensions", DIMENSION)
          .map((dimension) => [dimension.text("Key"), memberOf(dimension, "Value")]),
      ),
    }));
  });
}

/** @throws TemplateError for a constant, and for a member of a member */
function memberOf(properties: Properties, name: string): string {
  const selector = properties.text(name);
  const member = MEMBER.exec(selector)?.[1];
  if (member !== undefined) return member;
  throw new TemplateError(
    `${properties.path}.${name}: ${selector} is not known locally, a member of the line such as $.Name is.`,
  );
}
