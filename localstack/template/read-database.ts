import type { DatabaseModel } from "./model.ts";
import { propertiesOf } from "./properties.ts";
import type { Resolver } from "./resolver.ts";
import { TemplateError } from "./template.ts";

/**
 * The cluster that the Data API serves. Properties about how AWS runs the cluster (capacity, backups, networks) have no
 * meaning here and are not read.
 */
export function readDatabase(resolver: Resolver): DatabaseModel {
  const clusters = resolver.idsOf("AWS::RDS::DBCluster");
  const [logicalId] = clusters;
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
