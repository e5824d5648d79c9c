import { Annotations, Validations } from "aws-cdk-lib";
import { type IVpc, type SubnetSelection, SubnetType, Vpc } from "aws-cdk-lib/aws-ec2";
import type { Construct } from "constructs";
import type { StageConfig } from "./stage-config.ts";

/** As many as Aurora wants for a subnet group. */
const ZONES = 2;

/** The network of the database: isolated subnets of its own, or the ones that the stage names. */
export function databaseNetwork(
  scope: Construct,
  existing: StageConfig["existingVpc"],
): { vpc: IVpc; vpcSubnets: SubnetSelection; zones: string[] } {
  const vpcSubnets = { subnetType: SubnetType.PRIVATE_ISOLATED };
  if (existing !== undefined) {
    const zones = Object.keys(existing.subnets);
    const vpc = Vpc.fromVpcAttributes(scope, "Vpc", {
      vpcId: existing.vpcId,
      availabilityZones: zones,
      isolatedSubnetIds: Object.values(existing.subnets),
    });
    Annotations.of(vpc).acknowledgeWarning(
      "@aws-cdk/aws-ec2:noSubnetRouteTableId",
      "The cluster needs no route, so their route tables are not named.",
    );
    return { vpc, vpcSubnets, zones };
  }
  const vpc = new Vpc(scope, "Vpc", {
    maxAzs: ZONES,
    natGateways: 0,
    subnetConfiguration: [{ name: "database", subnetType: SubnetType.PRIVATE_ISOLATED, cidrMask: 24 }],
  });
  Validations.of(vpc).acknowledge({
    id: "AwsSolutions-VPC7",
    reason: "The VPC holds the cluster alone and has no route out; callers come through the Data API.",
  });
  return { vpc, vpcSubnets, zones: vpc.availabilityZones.slice(0, ZONES) };
}
