import type { DatabaseModel, FunctionModel } from "./model.ts";
import { propertiesOf } from "./properties.ts";
import type { Resolver } from "./resolver.ts";
import { TemplateError } from "./template.ts";

/**
 * The cluster that the Data API serves. Properties about how AWS runs the cluster (capacity, backups, networks) have no
 * meaning here and are not read. A stack whose cluster is outside has only its names, in the variables of the functions:
 * those that have the secrets of the roles have the owner's as SECRET_ARN.
 */
export function readDatabase(resolver: Resolver, functions: FunctionModel[]): DatabaseModel {
  const clusters = resolver.idsOf("AWS::RDS::DBCluster");
  const [logicalId] = clusters;
  const outside = functions
    .map(({ environment }) => environment)
    .find(({ CLUSTER_ARN, WRITER_SECRET_ARN }) => CLUSTER_ARN !== undefined && WRITER_SECRET_ARN !== undefined);
  if (logicalId === undefined && outside !== undefined) {
    const { CLUSTER_ARN: clusterArn = "", SECRET_ARN: secretArn = "", DATABASE_NAME: databaseName = "" } = outside;
    return { clusterArn, secretArn, databaseName };
  }
  if (logicalId === undefined || clusters.length !== 1) {
    throw new TemplateError(
      `The template has ${clusters.length} AWS::RDS::DBCluster; the local stack needs exactly one for the Data API.`,
    );
  }
  const names = Object.keys(resolver.resources[logicalId]?.Properties ?? {});
  const cluster = propertiesOf(resolver, logicalId, { used: names, inert: [] });
  const refuse = (name: string, why: string): never => {
    throw new TemplateError(`${cluster.path}.${name}: ${why}`);
  };
  if (cluster.text("Engine") !== "aurora-postgresql") refuse("Engine", "only aurora-postgresql runs locally.");
  if (!cluster.flag("EnableHttpEndpoint", false)) refuse("EnableHttpEndpoint", "must be true: the Data API is off.");
  if (!cluster.flag("ManageMasterUserPassword", false)) {
    refuse("ManageMasterUserPassword", "must be true: the local Data API knows the managed secret only.");
  }
  return {
    clusterArn: String(resolver.getAtt(logicalId, "DBClusterArn", logicalId)),
    secretArn: String(resolver.getAtt(logicalId, "MasterUserSecret.SecretArn", logicalId)),
    databaseName: cluster.text("DatabaseName"),
  };
}
