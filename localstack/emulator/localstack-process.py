"""Runs LocalStack without Docker: its Lambda functions are processes of Node on this machine.

    python localstack-process.py ADDRESS FOLDER NODE BOOTSTRAP RESPONSE_LIMIT

ADDRESS is the one it listens on, FOLDER is for its files; NODE runs the functions, with the program BOOTSTRAP
(../lambda/bootstrap.mjs), which gets RESPONSE_LIMIT. LocalStack's settings are in the environment (localstack.ts).
"""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from localstack.runtime.main import main
from localstack.runtime.server import twisted
from localstack.services.apigateway.next_gen.execute_api.integrations import aws as integrations
from localstack.services.dynamodb.server import DynamodbServer
from localstack.services.lambda_.invocation import runtime_executor
from localstack.services.lambda_.invocation.executor_endpoint import StatusErrorException
from localstack.services.lambda_.invocation.lambda_models import InvocationResult
from localstack.services.lambda_.invocation.plugins import DockerRuntimeExecutorPlugin
from localstack.services.s3 import provider as s3

ADDRESS, FOLDER, NODE, BOOTSTRAP, RESPONSE_LIMIT = sys.argv[1:]

# As in ../lambda/limits.ts: the longest time to load a handler, and the heap's share of the memory.
INIT_SECONDS = 30
OLD_SPACE_SHARE = 0.9
# A process that closed its channel exits by itself.
EXIT_SECONDS = 1


class FunctionProcess(runtime_executor.RuntimeExecutor):
    """An execution environment: a process that serves one invocation at a time, over Node's own IPC channel.

    The channel is a socket with a line of JSON for each message (../lambda/messages.ts). If LocalStack dies, the process
    ends with the channel.
    """

    def __init__(self, id, function_version):
        super().__init__(id, function_version)
        self.code = str(function_version.config.code.get_unzipped_code_location())
        self.log = Path(FOLDER, f"{function_version.id.function_name}-{id[:8]}.log")
        self.log.touch()
        self.shown = 0
        self.environment = {}
        self.process = None
        self.channel = None
        self.messages = None
        self.stopped = False

    def start(self, env_vars):
        self.environment = {
            **{name: str(value) for name, value in env_vars.items()},
            "LAMBDA_TASK_ROOT": self.code,
            "PATH": os.environ["PATH"],
        }
        failure = self.launch()
        if failure is not None:
            raise StatusErrorException("The handler cannot be loaded", payload=json.dumps(failure).encode())

    def launch(self):
        """Starts the process. Gives the error of a handler that cannot be loaded, otherwise None."""
        megabytes = int(int(self.environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]) * OLD_SPACE_SHARE)
        options = [f"--max-old-space-size={megabytes}"]
        self.channel, other_end = socket.socketpair()
        self.messages = self.channel.makefile("r", encoding="utf-8", newline="\n")
        with other_end, self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [NODE, *options, BOOTSTRAP, RESPONSE_LIMIT],
                cwd=self.code,
                env={**self.environment, "NODE_CHANNEL_FD": str(other_end.fileno())},
                pass_fds=[other_end.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        message = self.receive(INIT_SECONDS)
        return None if message["type"] == "ready" else error_of(message)

    def invoke(self, payload):
        request_id = payload["invoke-id"]
        if self.process is not None and self.process.poll() is not None:
            # It ended after its last answer.
            self.end()
        failure = self.launch() if self.process is None and not self.stopped else None
        if failure is None:
            message = self.run(payload)
            failure = None if message["type"] == "result" else error_of(message)
        answer = message["payload"] if failure is None else json.dumps(failure)
        with self.log.open("rb") as log:
            # With what was printed since the last invocation: a module prints while it loads.
            log.seek(self.shown)
            text = log.read()
            self.shown += len(text)
            lines = text.decode("utf-8", "replace")
        if failure is not None:
            lines += f"{request_id} {failure['errorType']}: {failure['errorMessage']}\n"
        return InvocationResult(request_id, answer.encode(), failure is not None, lines)

    def run(self, payload):
        seconds = int(self.environment["AWS_LAMBDA_FUNCTION_TIMEOUT"])
        message = {
            "requestId": payload["invoke-id"],
            "functionArn": payload["invoked-function-arn"],
            "traceId": payload["trace-id"],
            "payload": payload["payload"],
            "deadline": int((time.time() + seconds) * 1000),
        }
        return self.receive(seconds, message)

    def receive(self, seconds, message=None):
        """The next message of the process, after sending one; an error if it ends or takes too long, and it is ended."""
        try:
            self.channel.settimeout(seconds)
            if message is not None:
                self.channel.sendall(json.dumps(message).encode() + b"\n")
            line = self.messages.readline()
            answer = json.loads(line) if line != "" else None
        except TimeoutError:
            self.end()
            return fatal("Sandbox.Timedout", f"Task timed out after {seconds:.2f} seconds")
        except (OSError, ValueError):
            answer = None
        if answer is None:
            return fatal("Runtime.ExitError", f"Runtime exited with error: exit status {self.end(EXIT_SECONDS)}")
        if answer["type"] == "fatal":
            self.end()
        return answer

    def end(self, patience=0):
        """Ends the process, and gives its exit status. The next invocation starts another one."""
        process, self.process = self.process, None
        if process is None:
            return None
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self.messages.close()
        self.channel.close()
        return process.returncode

    def stop(self):
        self.stopped = True
        self.end()

    def get_address(self):
        return ADDRESS.split(":")[0]

    def get_endpoint_from_executor(self):
        return self.get_address()

    def get_runtime_endpoint(self):
        # The function's process answers over its channel.
        return ""

    def get_logs(self):
        return self.log.read_text(errors="replace")

    @classmethod
    def prepare_version(cls, function_version):
        function_version.config.code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version):
        pass


def error_of(message):
    """An error as functions of Node.js answer it."""
    return {
        "errorType": message["errorType"],
        "errorMessage": message["errorMessage"],
        "trace": message["stack"],
    }


def fatal(error_type, error_message):
    return {"type": "fatal", "errorType": error_type, "errorMessage": error_message, "stack": []}


class BoundEndpoint(twisted.endpoints.TCP4ServerEndpoint):
    """LocalStack's server omits the host of GATEWAY_LISTEN, and so would listen on every interface."""

    def __init__(self, reactor, port):
        super().__init__(reactor, port, interface=ADDRESS.split(":")[0])


matches_listed_type = integrations.mime_type_matches_binary_media_types


def is_binary(mime_type, binary_media_types):
    """LocalStack skips a binary media type of `*/*`, and so would send the page's compressed files as base64."""
    return "*/*" in binary_media_types or matches_listed_type(mime_type, binary_media_types)


# LocalStack has no setting for these. The only plugin that runs functions is Docker's. It would download DynamoDB Local and
# Java, and start that on DYNAMODB_LOCAL_PORT, where our server of tables is.
DockerRuntimeExecutorPlugin.load = lambda _plugin: FunctionProcess
twisted.endpoints.TCP4ServerEndpoint = BoundEndpoint
DynamodbServer.start_dynamodb = lambda _server: True
integrations.mime_type_matches_binary_media_types = is_binary
s3.DEFAULT_S3_TMP_DIR = str(Path(FOLDER, "s3"))

main()
