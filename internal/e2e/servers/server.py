"""The showcase service in Python, with the behaviour of examples/showcase/service.

python3 server.py    on a free port of 127.0.0.1, which it prints

PYTHONPATH has to have the folder with the generated code.
"""

import concurrent.futures
import signal

import grpc

from bookshop.rpc.v1 import status_pb2
from showcase.v1 import showcase_pb2 as pb
from showcase.v1 import showcase_pb2_grpc

MAX_MESSAGES = 1000


def describe(context, method, *more):
    """Sends the headers, and sets the trailers."""
    context.send_initial_metadata(
        [("x-showcase-header", "head-" + method), ("x-showcase-bin", b"\1\2\3")]
    )
    context.set_trailing_metadata([("x-showcase-trailer", "trail-" + method), *more])


def fail(context, method, reason):
    """Ends a call that is not described yet, with an error that has a detail and metadata."""
    describe(context, method, *error(method, reason))
    context.abort(grpc.StatusCode.FAILED_PRECONDITION, reason)


def error(method, reason):
    """Returns the trailers of an error, without its status."""
    detail = pb.FailDetail(hint="hint")
    status = status_pb2.Status(
        code=grpc.StatusCode.FAILED_PRECONDITION.value[0], message=reason
    )
    status.details.add(
        type_url="type.googleapis.com/" + detail.DESCRIPTOR.full_name,
        value=detail.SerializeToString(),
    )
    return [
        ("x-showcase-error", "meta-" + method),
        ("grpc-status-details-bin", status.SerializeToString()),
    ]


class Showcase(showcase_pb2_grpc.ShowcaseServiceServicer):
    def Greet(self, request, context):
        names = [
            cookie.strip().split("=")[0]
            for name, value in context.invocation_metadata()
            if name == "cookie"
            for cookie in value.split(";")
        ]
        describe(context, "Greet")
        return pb.GreetResponse(greeting=f"Hello, {request.name}!", cookie_names=names)

    def Lookup(self, request, context):
        if not request.key:
            fail(context, "Lookup", "no key")
        describe(context, "Lookup")
        return pb.LookupResponse(value=request.key.upper(), http_method="POST")

    def Count(self, request, context):
        describe(context, "Count")
        for i in range(min(request.up_to, MAX_MESSAGES)):
            yield pb.CountResponse(number=i + 1)

    def Silence(self, request, context):
        describe(context, "Silence")
        return iter(())

    def Fail(self, request, context):
        fail(context, "Fail", request.reason)

    def FailStream(self, request, context):
        describe(context, "FailStream", *error("FailStream", request.reason))
        for i in range(min(request.after, MAX_MESSAGES)):
            yield pb.FailStreamResponse(number=i + 1)
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, request.reason)

    def Collect(self, requests, context):
        total = sum(request.number for request in requests)
        describe(context, "Collect")
        return pb.CollectResponse(sum=total)

    def Chat(self, requests, context):
        describe(context, "Chat")
        for request in requests:
            yield pb.ChatResponse(text="You said: " + request.text)


def main():
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(max_workers=10))
    showcase_pb2_grpc.add_ShowcaseServiceServicer_to_server(Showcase(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    signal.signal(signal.SIGTERM, lambda *_: server.stop(grace=None))
    print(f"listening on 127.0.0.1:{port}", flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
