import { attributeOf, knownAttributes, refOf } from "./attributes.ts";
import { createConditions } from "./conditions.ts";
import { intrinsicOf, INTRINSICS } from "./intrinsics.ts";
import { type Environment, NO_VALUE, type Resource, type Template, TemplateError } from "./template.ts";

export type Resolver = {
  /** A template value without its intrinsics. `path` says in errors where it stands. */
  resolve: (value: unknown, path: string) => unknown;
  /** `Ref` of a resource, parameter or pseudo parameter. */
  ref: (name: string, path: string) => unknown;
  getAtt: (logicalId: string, attribute: string, path: string) => unknown;
  condition: (name: string, path: string) => boolean;
  /** Resources whose condition holds, as the template names them. */
  resources: Record<string, Resource>;
  template: Template;
  environment: Environment;
};

/**
 * Resolves the intrinsic functions of one template, lazily: only what is asked for is looked at, so a resource without
 * local meaning may use whatever it likes. A value that depends on itself is an error that names the circle.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
 */
export function createResolver(template: Template, environment: Environment): Resolver {
  const underWay: string[] = [];
  /** Runs `work` unless it is already under way further up. */
  const once = <T>(what: string, path: string, work: () => T): T => {
    if (underWay.includes(what)) {
      throw new TemplateError(`${path}: circular reference: ${[...underWay, what].join(" → ")}.`);
    }
    underWay.push(what);
    try {
      return work();
    } finally {
      underWay.pop();
    }
  };

  const resolve: Resolver["resolve"] = (value, path) => {
    if (Array.isArray(value)) {
      return value.map((item, index) => resolve(item, `${path}[${index}]`)).filter((item) => item !== NO_VALUE);
    }
    if (typeof value !== "object" || value === null) return value;
    const intrinsic = intrinsicOf(value);
    if (intrinsic !== undefined) return evaluate(intrinsic.name, intrinsic.argument, path);
    return Object.fromEntries(
      Object.entries(value)
        .map(([key, item]) => [key, resolve(item, `${path}.${key}`)] as const)
        .filter(([, item]) => item !== NO_VALUE),
    );
  };

  const evaluate = (name: string, argument: unknown, path: string): unknown => {
    const intrinsic = INTRINSICS[name];
    if (intrinsic === undefined) {
      throw new TemplateError(`${path}: the intrinsic function ${name} is not known locally. Add it to intrinsics.ts.`);
    }
    return intrinsic(argument, `${path}.${name}`, resolver);
  };

  const ref: Resolver["ref"] = (name, path) => {
    if (Object.hasOwn(PSEUDO_PARAMETERS, name)) return PSEUDO_PARAMETERS[name]?.(environment);
    const parameter = Object.hasOwn(template.Parameters ?? {}, name) ? template.Parameters?.[name] : undefined;
    if (parameter !== undefined) {
      const value = environment.parameters?.[name] ?? parameter.Default;
      if (value === undefined) throw new TemplateError(`${path}: the parameter ${name} has no default and no value.`);
      return value;
    }
    return once(`Ref ${name}`, path, () => refOf(subject(name, path)));
  };

  const getAtt: Resolver["getAtt"] = (logicalId, attribute, path) => {
    const about = subject(logicalId, path);
    const value = once(`${logicalId}.${attribute}`, path, () => attributeOf(about, attribute));
    if (value !== undefined) return value;
    const known = knownAttributes(about.type).join(", ") || "none";
    throw new TemplateError(
      `${path}: the attribute ${attribute} of ${logicalId} (${about.type}) is not known locally (known: ${known}). ` +
        "Add it to attributes.ts.",
    );
  };

  const subject = (logicalId: string, path: string) => {
    const resource = Object.hasOwn(template.Resources, logicalId) ? template.Resources[logicalId] : undefined;
    if (resource === undefined) {
      throw new TemplateError(`${path}: there is no resource or parameter ${logicalId} in the template.`);
    }
    const property = (name: string): unknown => {
      const value = resolve(resource.Properties?.[name], `${logicalId}.Properties.${name}`);
      return value === NO_VALUE ? undefined : value;
    };
    return { type: resource.Type, logicalId, environment, property };
  };

  const conditions = createConditions(template, { resolve, once });
  const resolver: Resolver = {
    resolve,
    ref,
    getAtt,
    condition: conditions.holds,
    resources: {},
    template,
    environment,
  };
  for (const [logicalId, resource] of Object.entries(template.Resources)) {
    const { Condition: name } = resource;
    if (name === undefined || conditions.holds(name, logicalId)) resolver.resources[logicalId] = resource;
  }
  return resolver;
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html */
const PSEUDO_PARAMETERS: Record<string, (environment: Environment) => unknown> = {
  "AWS::AccountId": ({ accountId }) => accountId,
  "AWS::NoValue": () => NO_VALUE,
  "AWS::NotificationARNs": () => [],
  "AWS::Partition": () => "aws",
  "AWS::Region": ({ region }) => region,
  "AWS::StackId": ({ accountId, region, stackName }) =>
    `arn:aws:cloudformation:${region}:${accountId}:stack/${stackName}/00000000-0000-0000-0000-000000000000`,
  "AWS::StackName": ({ stackName }) => stackName,
  "AWS::URLSuffix": () => "amazonaws.com",
};
