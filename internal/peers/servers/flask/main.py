"""Starts the applications of FILE, the first argument: a function for each host name, in the dictionary hosts. The
function gets the application before its routes. The program prints its address."""

import runpy
import sys

from flask import Flask, Response, request
from werkzeug.serving import WSGIRequestHandler, make_server


def application(use):
    app = Flask(__name__)
    use(app)

    # Answers as sidebyside.API does. Flask itself answers OPTIONS.
    @app.route("/<path:path>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    def handler(path):
        if request.args.get("crash"):
            raise RuntimeError("as a bug")
        response = Response(status=int(request.args.get("status", 200)))
        response.headers["X-Handler"] = "ran"
        response.headers["X-Request-Id"] = "1"
        response.headers["X-Total"] = "2"
        response.headers["Etag"] = '"3"'
        response.headers["Trailer-X-Request-Id"] = "4"
        response.headers["Content-Type"] = "application/json"
        if (request.content_type or "").startswith("application/grpc-web"):
            response.headers["Content-Type"] = "application/grpc-web+proto"
            response.headers["Grpc-Status"] = "5"
            response.headers["Grpc-Message"] = "none"
        return response

    return app


class Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_):
        pass


apps = {host: application(use) for host, use in runpy.run_path(sys.argv[1])["hosts"].items()}
without = application(lambda app: None)


def dispatch(environ, start_response):
    return apps.get(environ["HTTP_HOST"], without)(environ, start_response)


server = make_server("127.0.0.1", 0, dispatch, threaded=True, request_handler=Quiet)
print(f"listening on 127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
