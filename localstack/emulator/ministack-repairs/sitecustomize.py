"""
Repairs of MiniStack 1.4.21. Python imports a module of this name before a program; ministack.ts puts this folder into its
path.

MiniStack's CloudFormation gives the name of a secret as its `Ref`, where AWS gives the ARN, and stops a deployment at a
rotation schedule or a resource policy of a secret, and at a metric filter.
"""

import sys


def repair():
    from ministack.services import cloudwatch_logs, secretsmanager
    from ministack.services.cloudformation import provisioners

    handlers = provisioners._RESOURCE_HANDLERS
    create = handlers["AWS::SecretsManager::Secret"]["create"]
    delete = handlers["AWS::SecretsManager::Secret"]["delete"]

    def create_secret(logical_id, props, stack_name):
        _, attributes = create(logical_id, props, stack_name)
        arn = attributes["Arn"]
        return arn, {**attributes, "Id": arn}

    def delete_secret(physical_id, props):
        for name, secret in list(secretsmanager._secrets.items()):
            if secret["ARN"] == physical_id:
                delete(name, props)

    def create_schedule(logical_id, props, stack_name):
        """`RotateSecret` calls no function in MiniStack, so only the description of the secret shows a schedule."""
        _, secret = secretsmanager._resolve(props["SecretId"])
        secret["RotationEnabled"] = True
        secret["RotationLambdaARN"] = props.get("RotationLambdaARN")
        secret["RotationRules"] = props.get("RotationRules")
        return props["SecretId"], {}

    def create_policy(logical_id, props, stack_name):
        """Permissions are not checked in MiniStack."""
        return props["SecretId"], {}

    def create_metric_filter(logical_id, props, stack_name):
        """MiniStack keeps metric filters and makes no datapoints of them."""
        name = props.get("FilterName") or f"{stack_name}-{logical_id}"
        member = lambda text: text[0].lower() + text[1:]
        transformations = [{member(key): value for key, value in each.items()} for each in props["MetricTransformations"]]
        for each in transformations:
            each["dimensions"] = {one["Key"]: one["Value"] for one in each.get("dimensions", [])}
        cloudwatch_logs._put_metric_filter({
            "logGroupName": props["LogGroupName"],
            "filterName": name,
            "filterPattern": props["FilterPattern"],
            "metricTransformations": transformations,
        })
        return name, {}

    def delete_metric_filter(physical_id, props):
        cloudwatch_logs._delete_metric_filter({"logGroupName": props.get("LogGroupName"), "filterName": physical_id})

    def nothing(physical_id, props):
        pass

    handlers["AWS::SecretsManager::Secret"] = {"create": create_secret, "delete": delete_secret}
    handlers["AWS::SecretsManager::RotationSchedule"] = {"create": create_schedule, "delete": nothing}
    handlers["AWS::SecretsManager::ResourcePolicy"] = {"create": create_policy, "delete": nothing}
    handlers["AWS::Logs::MetricFilter"] = {"create": create_metric_filter, "delete": delete_metric_filter}


try:
    repair()
except Exception as error:
    # Another version may have changed inside, or needs no repair.
    print(f"MiniStack was not repaired: {error!r}", file=sys.stderr)
