import { AttributeType, BillingMode, TableEncryption, type TableProps } from "aws-cdk-lib/aws-dynamodb";
import { Grant, type IGrantable } from "aws-cdk-lib/aws-iam";

/**
 * The settings of all tables. Point-in-time recovery costs by the size, which is small. AWS's own key encrypts at no price per
 * request.
 */
export const TABLE = {
  billingMode: BillingMode.PAY_PER_REQUEST,
  pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
  encryption: TableEncryption.DEFAULT,
} satisfies Partial<TableProps>;

/** An attribute of a key that is text. */
export const text = (name: string) => ({ name, type: AttributeType.STRING });

/** Lets somebody make calls of a table or an index of it, for example `GetItem`. */
export function grantTable(grantee: IGrantable, resource: string, calls: readonly string[]): void {
  Grant.addToPrincipal({ grantee, actions: calls.map((call) => `dynamodb:${call}`), resourceArns: [resource] });
}
