// main.js starts the applications of FILE, the first argument, which exports a function for each host name. The
// function gets the application before its handler. The program prints its URL.
const http = require("node:http");
const express = require("express");
const cors = require("cors");

const hosts = require(process.argv[2])(cors);

// handler answers as sidebyside.API does.
function handler(request, response) {
  if (request.method === "OPTIONS") {
    response.status(405).end();
    return;
  }
  response.set({ "X-Handler": "ran", "X-Request-Id": "1", "X-Total": "2", Etag: '"3"', "Trailer-X-Request-Id": "4" });
  response.set("Content-Type", "application/json");
  if ((request.get("Content-Type") ?? "").startsWith("application/grpc-web")) {
    response.set({ "Content-Type": "application/grpc-web+proto", "Grpc-Status": "5", "Grpc-Message": "none" });
  }
  if (request.query.crash) {
    throw new Error("as a bug");
  }
  response.status(Number(request.query.status ?? 200)).end();
}

function application(use) {
  const app = express();
  app.set("env", "test"); // no log of errors
  use(app);
  app.use(handler);
  return app;
}

const apps = new Map(Object.entries(hosts).map(([host, use]) => [host, application(use)]));
const without = application(() => {});
const server = http.createServer((request, response) => (apps.get(request.headers.host) ?? without)(request, response));
server.listen(0, "127.0.0.1", () => console.log(`listening on 127.0.0.1:${server.address().port}`));
