import { RemovalPolicy } from "aws-cdk-lib";
import { Secret } from "aws-cdk-lib/aws-secretsmanager";
import { Construct } from "constructs";
import type { RoleSecretsEnvironment } from "../functions/adapters/lambda/environment-schemas.ts";
import { DATABASE_USERS, type DatabaseRole } from "../functions/core/database-roles.ts";
import type { Database } from "./database.ts";

const PASSWORD_CHARACTERS = 40;

/**
 * The roles that the functions have in the database, each with a secret of its own: the Data API gives a caller the role
 * of the secret that it may read. The migrations make the roles, with the passwords of the secrets.
 */
export class DatabaseRoles extends Construct {
  readonly secrets: Record<DatabaseRole, Secret>;
  /** The database as consume sees it: it may store events. */
  readonly writer: Database;
  /** The database as query sees it: it may read the events of one tenant at a time. */
  readonly reader: Database;

  constructor(scope: Construct, id: string, { database }: { readonly database: Database }) {
    super(scope, id);
    this.secrets = { writer: this.secretOf("writer", "Writer"), reader: this.secretOf("reader", "Reader") };
    const { clusterArn, databaseName, endpoint } = database;
    const names = { clusterArn, databaseName, ...(endpoint !== undefined && { endpoint }) };
    this.writer = { ...names, secretArn: this.secrets.writer.secretArn };
    this.reader = { ...names, secretArn: this.secrets.reader.secretArn };
  }

  /** The variables of the functions that set the passwords. */
  get environment(): RoleSecretsEnvironment {
    const { writer, reader } = this.secrets;
    return { WRITER_SECRET_ARN: writer.secretArn, READER_SECRET_ARN: reader.secretArn };
  }

  /**
   * A change of what is generated would make CloudFormation generate a new value, which is wrong until the migrations run
   * again.
   */
  private secretOf(role: DatabaseRole, id: string): Secret {
    const [username] = DATABASE_USERS[role];
    return new Secret(this, id, {
      description: `User and password of the ${role} of the database.`,
      generateSecretString: {
        secretStringTemplate: JSON.stringify({ username }),
        generateStringKey: "password",
        passwordLength: PASSWORD_CHARACTERS,
        excludePunctuation: true,
      },
      removalPolicy: RemovalPolicy.DESTROY,
    });
  }
}
