/** An error response. The SDK derives the error's class or name from `type`. */
export class SecretsManagerError extends Error {
  readonly type: ErrorType;

  constructor(type: ErrorType, message: string) {
    super(message);
    this.type = type;
  }

  get status(): number {
    return STATUS[this.type];
  }
}

export const invalidParameter = (message: string) => new SecretsManagerError("InvalidParameterException", message);
export const invalidRequest = (message: string) => new SecretsManagerError("InvalidRequestException", message);
export const notFound = (message: string) => new SecretsManagerError("ResourceNotFoundException", message);

export type ErrorType = keyof typeof STATUS;

/**
 * Status of each class: docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html (Errors) and
 * CommonErrors.html there.
 */
const STATUS = {
  InternalServiceError: 500,
  InvalidParameterException: 400,
  InvalidRequestException: 400,
  MissingAuthenticationTokenException: 400,
  ResourceExistsException: 400,
  ResourceNotFoundException: 400,
  SerializationException: 400,
  UnknownOperationException: 400,
} as const;
