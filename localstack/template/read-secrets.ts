import { isObject } from "../is-object.ts";
import type { FunctionModel, GeneratedText, SecretModel } from "./model.ts";
import { type Properties, propertiesOf, type Shape } from "./properties.ts";
import { findFunction } from "./read-functions.ts";
import type { Resolver } from "./resolver.ts";
import { TemplateError } from "./template.ts";

/** docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-secretsmanager-secret.html */
const SECRET: Shape = {
  used: ["Description", "GenerateSecretString", "Name", "SecretString"],
  inert: ["KmsKeyId", "Tags"],
};
const GENERATED: Shape = {
  used: [
    "ExcludeCharacters",
    "ExcludeLowercase",
    "ExcludeNumbers",
    "ExcludePunctuation",
    "ExcludeUppercase",
    "GenerateStringKey",
    "IncludeSpace",
    "PasswordLength",
    "RequireEachIncludedType",
    "SecretStringTemplate",
  ],
  inert: [],
};
/** A schedule, and the rotation at each deployment, do not run here: `RotateSecret` rotates. */
const ROTATION: Shape = {
  used: ["RotationLambdaARN", "SecretId"],
  inert: ["RotateImmediatelyOnUpdate", "RotationRules"],
};

/** docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetRandomPassword.html */
const DEFAULT_LENGTH = 32;
const MAXIMUM_LENGTH = 4096;

export function readSecrets(resolver: Resolver, functions: FunctionModel[]): SecretModel[] {
  const rotations = readRotations(resolver, functions);
  const secrets = resolver.idsOf("AWS::SecretsManager::Secret").map((logicalId) => {
    const properties = propertiesOf(resolver, logicalId, SECRET);
    const arn = String(resolver.ref(logicalId, logicalId));
    const rotation = rotations.get(arn);
    rotations.delete(arn);
    return {
      logicalId,
      name: arn.split(":").slice(6).join(":").slice(0, -SUFFIX_LENGTH),
      arn,
      description: properties.optionalText("Description"),
      value: readValue(properties),
      rotation,
    };
  });
  const [lost] = rotations.keys();
  if (lost === undefined) return secrets;
  throw new TemplateError(
    `An AWS::SecretsManager::RotationSchedule names ${lost}, which is not a secret of this stack.`,
  );
}

/** The hyphen and the six characters that an ARN has after the name. */
const SUFFIX_LENGTH = 7;

/** The rotations by the ARN of their secret. */
function readRotations(resolver: Resolver, functions: FunctionModel[]): Map<string, { functionArn: string }> {
  return new Map(
    resolver.idsOf("AWS::SecretsManager::RotationSchedule").map((logicalId) => {
      const properties = propertiesOf(resolver, logicalId, ROTATION);
      const arn = properties.text("RotationLambdaARN");
      const { arn: functionArn } = findFunction(functions, arn, `${properties.path}.RotationLambdaARN`);
      return [properties.text("SecretId"), { functionArn }];
    }),
  );
}

function readValue(properties: Properties): SecretModel["value"] {
  const text = properties.optionalText("SecretString");
  const generated = properties.object("GenerateSecretString", GENERATED);
  if (text !== undefined && generated === undefined) return { kind: "given", text };
  if (text === undefined && generated !== undefined) return { kind: "generated", ...readGenerated(generated) };
  throw new TemplateError(`${properties.path}: a secret has either GenerateSecretString or SecretString.`);
}

function readGenerated(rules: Properties): GeneratedText {
  const length = rules.number("PasswordLength", DEFAULT_LENGTH);
  if (!Number.isInteger(length) || length < 1 || length > MAXIMUM_LENGTH) {
    throw new TemplateError(`${rules.path}.PasswordLength: ${length} is not from 1 to ${MAXIMUM_LENGTH}.`);
  }
  return {
    length,
    excluded: rules.optionalText("ExcludeCharacters") ?? "",
    lowercase: !rules.flag("ExcludeLowercase", false),
    uppercase: !rules.flag("ExcludeUppercase", false),
    numbers: !rules.flag("ExcludeNumbers", false),
    punctuation: !rules.flag("ExcludePunctuation", false),
    space: rules.flag("IncludeSpace", false),
    everyKind: rules.flag("RequireEachIncludedType", true),
    inside: readTemplate(rules),
  };
}

function readTemplate(rules: Properties): GeneratedText["inside"] {
  const template = rules.optionalText("SecretStringTemplate");
  const key = rules.optionalText("GenerateStringKey");
  if (template === undefined && key === undefined) return undefined;
  if (template === undefined || key === undefined) {
    throw new TemplateError(`${rules.path}: SecretStringTemplate and GenerateStringKey go together.`);
  }
  if (isJsonObject(template)) return { template, key };
  throw new TemplateError(`${rules.path}.SecretStringTemplate: it must be a JSON object.`);
}

function isJsonObject(text: string): boolean {
  try {
    return isObject(JSON.parse(text));
  } catch {
    return false;
  }
}
