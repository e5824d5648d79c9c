import { attributeOf, knownAttributes, refOf } from "./attributes.ts";
import { createConditions } from "./conditions.ts";
import { intrinsicOf, INTRINSICS } from "./intrinsics.ts";
import { stableUuid } from "./physical-names.ts";
import { type Environment, type Resource, type Template, TemplateError } from "./template.ts";

export type Resolver = {
  /** A template value without its intrinsics. `path` names its place in errors. */
  resolve: (value: unknown, path: string) => unknown;
  /** `Ref` of a resource or pseudo parameter. */
  ref: (name: string, path: string) => unknown;
  getAtt: (logicalId: string, attribute: string, path: string) => unknown;
  condition: (name: string, path: string) => boolean;
  /** The resources whose condition holds, by logical id. */
  resources: Record<string, Resource>;
  /** The logical ids of the resources of one type. */
  idsOf: (type: string) => string[];
  template: Template;
};

/**
 * Resolves the intrinsic functions of one template. Values are resolved on demand, so a resource without local meaning
 * may use functions that are not known here. A value that depends on itself is an error that names the circle.
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
      return value.map((item, index) => resolve(item, `${path}[${index}]`));
    }
    if (typeof value !== "object" || value === null) return value;
    const intrinsic = intrinsicOf(value);
    if (intrinsic !== undefined) return evaluate(intrinsic.name, intrinsic.argument, path);
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolve(item, `${path}.${key}`)]));
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
    const about = subject(name, path);
    const value = once(`Ref ${name}`, path, () => refOf(about));
    if (value !== undefined) return value;
    throw new TemplateError(
      `${path}: the Ref of ${name} (${about.type}) is not known locally. Add it to attributes.ts.`,
    );
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
      throw new TemplateError(`${path}: there is no resource ${logicalId} in the template.`);
    }
    const property = (name: string) => resolve(resource.Properties?.[name], `${logicalId}.Properties.${name}`);
    return { type: resource.Type, logicalId, environment, property };
  };

  const condition = createConditions(template, resolve);
  const resources: Resolver["resources"] = {};
  const idsOf: Resolver["idsOf"] = (type) => Object.keys(resources).filter((id) => resources[id]?.Type === type);
  const resolver: Resolver = { resolve, ref, getAtt, condition, resources, idsOf, template };
  for (const [logicalId, resource] of Object.entries(template.Resources)) {
    const { Condition: name } = resource;
    if (name === undefined || condition(name, logicalId)) resources[logicalId] = resource;
  }
  return resolver;
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html */
const PSEUDO_PARAMETERS: Record<string, (environment: Environment) => string> = {
  "AWS::AccountId": ({ accountId }) => accountId,
  "AWS::Partition": () => "aws",
  "AWS::Region": ({ region }) => region,
  "AWS::StackId": (environment) => {
    const { stackName, region, accountId } = environment;
    return `arn:aws:cloudformation:${region}:${accountId}:stack/${stackName}/${stableUuid(environment)}`;
  },
  "AWS::StackName": ({ stackName }) => stackName,
  "AWS::URLSuffix": () => "amazonaws.com",
};
