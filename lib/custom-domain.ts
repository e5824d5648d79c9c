import { DomainName, EndpointAccessMode, EndpointType, type RestApi, SecurityPolicy } from "aws-cdk-lib/aws-apigateway";
import { Certificate } from "aws-cdk-lib/aws-certificatemanager";
import { ARecord, HostedZone, RecordTarget } from "aws-cdk-lib/aws-route53";
import { ApiGatewayDomain } from "aws-cdk-lib/aws-route53-targets";
import { Bucket } from "aws-cdk-lib/aws-s3";
import { Construct } from "constructs";
import type { StageConfig } from "./stage-config.ts";

export type CustomDomainProps = {
  readonly stage: StageConfig;
  readonly domain: NonNullable<StageConfig["domain"]>;
  readonly restApi: RestApi;
};

/** The API's own name, with its record where the stage names the hosted zone. */
export class CustomDomain extends Construct {
  constructor(scope: Construct, id: string, { stage, domain, restApi }: CustomDomainProps) {
    super(scope, id);
    const { mtls, tlsPolicy } = stage;
    const name = new DomainName(this, "Name", {
      domainName: domain.name,
      certificate: Certificate.fromCertificateArn(this, "Certificate", domain.certificateArn),
      endpointType: EndpointType.REGIONAL,
      mapping: restApi,
      securityPolicy: tlsPolicy ?? SecurityPolicy.TLS_1_2,
      // The CDK wants the mode with these policies, and refuses it with the older ones.
      ...(tlsPolicy !== undefined && { endpointAccessMode: EndpointAccessMode.STRICT }),
      ...(mtls !== undefined && {
        mtls: {
          bucket: Bucket.fromBucketName(this, "Truststore", mtls.bucket),
          key: mtls.key,
          ...(mtls.version !== undefined && { version: mtls.version }),
        },
      }),
    });
    if (domain.hostedZone !== undefined) {
      const { id: hostedZoneId, name: zoneName } = domain.hostedZone;
      new ARecord(this, "Record", {
        zone: HostedZone.fromHostedZoneAttributes(this, "Zone", { hostedZoneId, zoneName }),
        recordName: domain.name,
        target: RecordTarget.fromAlias(new ApiGatewayDomain(name)),
      });
    }
  }
}
