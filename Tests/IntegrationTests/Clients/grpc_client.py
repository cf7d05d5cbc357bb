"""A gRPC client nobody here wrote (grpcio), against a driver's control port over mutual TLS.

grpc_client.py HOST:PORT FOLDER    FOLDER has ca.pem, client.pem, client.key

Prints one line per check and exits with 0 when all are as they should be."""
import sys

import grpc
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

target, folder = sys.argv[1], sys.argv[2]
read = lambda name: open(f"{folder}/{name}", "rb").read()
SECONDS = 20


def channel(with_certificate):
    pair = {"private_key": read("client.key"), "certificate_chain": read("client.pem")} if with_certificate else {}
    return grpc.secure_channel(target, grpc.ssl_channel_credentials(read("ca.pem"), **pair))


with channel(True) as secure:
    health = health_pb2_grpc.HealthStub(secure).Check(health_pb2.HealthCheckRequest(), timeout=SECONDS)
    assert health.status == health_pb2.HealthCheckResponse.SERVING, health
    print("health: SERVING")

    database = ProtoReflectionDescriptorDatabase(secure)
    services = sorted(database.get_services())
    for name in ("millrace.v1.Driver", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
                 "grpc.reflection.v1alpha.ServerReflection"):
        assert name in services, (name, services)
    print("services:", " ".join(services))

    # The same over v1, whose messages are v1alpha's under another name.
    listing = secure.stream_stream(
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString)
    answer = next(iter(listing(iter([reflection_pb2.ServerReflectionRequest(list_services="")]), timeout=SECONDS)))
    assert sorted(s.name for s in answer.list_services_response.service) == services, answer
    print("reflection v1: same services")

    pool = descriptor_pool.DescriptorPool(database)
    method = pool.FindServiceByName("millrace.v1.Driver").FindMethodByName("GetStatus")
    request = message_factory.GetMessageClass(method.input_type)
    reply = message_factory.GetMessageClass(method.output_type)
    status = secure.unary_unary(
        "/millrace.v1.Driver/GetStatus", request_serializer=request.SerializeToString,
        response_deserializer=reply.FromString)(request(), timeout=SECONDS)
    assert len(status.executors) == 2 and status.application_name == "grpc-test", status
    print("status:", status.application_name, "with", len(status.executors), "executors")

with channel(False) as anonymous:
    try:
        health_pb2_grpc.HealthStub(anonymous).Check(health_pb2.HealthCheckRequest(), timeout=5)
    except grpc.RpcError as error:
        assert error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED), error
        print("refused without a certificate:", error.code().name)
    else:
        sys.exit("a client without a certificate was served")
