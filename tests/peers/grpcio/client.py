"""A client in Python that knows the .proto files and nothing else of this project.

Usage: client.py SOCKET PROTO_FOLDER. It prints what it sees as JSON, a line an event, and goes on when it is told to by a line on
standard input; tests/it/grpcio.rs plays the user and the provider, and judges.
"""

import importlib
import json
import pathlib
import sys
import tempfile

import grpc
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from grpc_tools import protoc


def generated(folder):
    """Compiles the .proto files and loads what comes out of them."""
    out = tempfile.mkdtemp(prefix="tb-grpcio-")
    files = sorted(str(path.relative_to(folder)) for path in pathlib.Path(folder).rglob("*.proto"))
    code = protoc.main(["protoc", f"-I{folder}", f"--python_out={out}", f"--grpc_python_out={out}", *files])
    if code != 0:
        sys.exit("protoc refuses the files")
    sys.path.insert(0, out)
    names = ["token_broker_pb2", "token_broker_pb2_grpc", "error_pb2"]
    return [importlib.import_module(f"token_broker.v1.{name}") for name in names]


def tell(event, **facts):
    print(json.dumps({"event": event, **facts}), flush=True)


def wait():
    if not sys.stdin.readline():
        sys.exit("nobody says to go on")


def failure(error_pb2, error):
    """A failed call as its trailers describe it."""
    trailers = dict(error.trailing_metadata())
    status = status_pb2.Status.FromString(trailers["grpc-status-details-bin"])
    info, detail = error_details_pb2.ErrorInfo(), error_pb2.ErrorDetail()
    for any_detail in status.details:
        any_detail.Unpack(info) or any_detail.Unpack(detail)
    return {
        "code": error.code().name,
        "message": error.details(),
        "same": status.message == error.details() and status.code == error.code().value[0],
        "domain": info.domain,
        "reason": info.reason,
        "field": detail.field,
        "advice": detail.advice,
        "correlation_id": detail.correlation_id,
        "retry_after_seconds": detail.retry_after_seconds,
        "provider": {"error": detail.provider.error, "description": detail.provider.description},
    }


def refused(name, error_pb2, call, request):
    try:
        call(request)
    except grpc.RpcError as error:
        tell(name, **failure(error_pb2, error))
    else:
        sys.exit(f"{name}: the call succeeded")


def look_around(channel):
    health = health_pb2_grpc.HealthStub(channel)
    states = {}
    for service in ["", "token_broker.v1.TokenBroker", "token_broker.v1.BrokerAdmin"]:
        answer = health.Check(health_pb2.HealthCheckRequest(service=service))
        states[service] = health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
    tell("health", **states)
    reflection = ProtoReflectionDescriptorDatabase(channel)
    described = reflection.FindFileContainingSymbol("token_broker.v1.TokenBroker")
    methods = [method.name for method in described.service[0].method]
    tell("reflection", services=sorted(reflection.get_services()), methods=methods)


def main(socket, folder):
    pb, pb_grpc, error_pb2 = generated(folder)
    with grpc.insecure_channel(f"unix:{socket}") as channel:
        look_around(channel)
        broker = pb_grpc.TokenBrokerStub(channel)
        mail = pb.GetTokenRequest(application="mail")
        refused("not_signed_in", error_pb2, broker.GetToken, mail)
        refused("unknown", error_pb2, broker.GetToken, pb.GetTokenRequest(application="nobody"))
        refused("invalid", error_pb2, broker.GetToken, pb.GetTokenRequest(application="mail", scopes=['a"b']))
        for event in broker.SignIn(pb.SignInRequest(application="mail")):
            kind = event.WhichOneof("event")
            if kind == "open_url":
                tell("open_url", url=event.open_url.url)
            elif kind == "signed_in":
                tell("signed_in", username=event.signed_in.account.username)
        answer = broker.GetToken(pb.GetTokenRequest(application="mail", include_id_token=True))
        source = pb.TokenSource.Name(answer.source)
        tell("token", token=answer.access_token, type=answer.token_type, source=source, id_token=answer.id_token,
             scopes=list(answer.scopes), username=answer.account.username, expires_on=answer.expires_on)
        tell("before_outage")
        wait()
        refused("outage", error_pb2, broker.GetToken, pb.GetTokenRequest(application="mail", force_refresh=True))
        tell("before_refusal")
        wait()
        refused("refusal", error_pb2, broker.GetToken, pb.GetTokenRequest(application="mail", force_refresh=True))
        out = broker.SignOut(pb.SignOutRequest(application="mail", revoke=True))
        tell("signed_out", username=out.account.username, revocation=pb.Revocation.Name(out.revocation))
        refused("signed_out_again", error_pb2, broker.GetToken, mail)


if __name__ == "__main__":
    main(*sys.argv[1:])
