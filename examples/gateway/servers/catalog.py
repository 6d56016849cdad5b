"""The catalog: a gRPC server in Python. It has no code for browsers or for CORS.

python3 catalog.py [PORT]    on 127.0.0.1; without a port, the system chooses one

PYTHONPATH has to have the folder with the generated code: see run.sh.
"""

import concurrent.futures
import signal
import sys
import time

import grpc

from bookshop.catalog.v1 import catalog_pb2, catalog_pb2_grpc
from bookshop.rpc.v1 import status_pb2

BOOKS = {
    "9780131103627": "The C Programming Language",
    "9780201633610": "Design Patterns",
    "9780262510875": "Structure and Interpretation of Computer Programs",
}


class Catalog(catalog_pb2_grpc.CatalogServiceServicer):
    def GetBook(self, request, context):
        if request.isbn not in BOOKS:
            fail(
                context,
                grpc.StatusCode.NOT_FOUND,
                f"there is no book {request.isbn}",
                catalog_pb2.UnknownBook(isbn=request.isbn),
            )
        reader = dict(context.invocation_metadata()).get("x-reader", "stranger")
        context.send_initial_metadata([("x-greeting", f"Hello {reader}")])
        context.set_trailing_metadata([("x-in-stock", "9")])
        return catalog_pb2.GetBookResponse(title=BOOKS[request.isbn])

    def ListBooks(self, request, context):
        for title in BOOKS.values():
            yield catalog_pb2.ListBooksResponse(title=title)
            time.sleep(0.2)  # for the page to show that messages arrive one by one
        context.set_trailing_metadata([("x-books", str(len(BOOKS)))])


def fail(context, code, message, detail):
    """Ends the call with an error that has a detail."""
    status = status_pb2.Status(code=code.value[0], message=message)
    name = detail.DESCRIPTOR.full_name
    status.details.add(
        type_url=f"type.googleapis.com/{name}", value=detail.SerializeToString()
    )
    context.set_trailing_metadata(
        [("grpc-status-details-bin", status.SerializeToString())]
    )
    context.abort(code, message)


def main():
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(max_workers=10))
    catalog_pb2_grpc.add_CatalogServiceServicer_to_server(Catalog(), server)
    port = server.add_insecure_port(f"127.0.0.1:{(sys.argv + ['0'])[1]}")
    server.start()
    for name in signal.SIGINT, signal.SIGTERM:
        signal.signal(name, lambda *_: server.stop(grace=1))
    print(f"listening on 127.0.0.1:{port}", flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
