// The showcase service in Node.js, with the behaviour of examples/showcase/service, and gRPC
// server reflection.
//
//	node server.js    on a free port of 127.0.0.1, which it prints

import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const require = createRequire(new URL("../web/package.json", import.meta.url));
const grpc = require("@grpc/grpc-js");
const { loadSync } = require("@grpc/proto-loader");
const { ReflectionService } = require("@grpc/reflection");

const examples = new URL("../../../examples/", import.meta.url);
const load = (file, folder) => loadSync(file, { includeDirs: [fileURLToPath(new URL(folder, examples))] });
const definition = load("showcase/v1/showcase.proto", "showcase/proto");
const statuses = load("bookshop/rpc/v1/status.proto", "gateway/proto");
const { showcase } = grpc.loadPackageDefinition(definition);

const maxMessages = 1000;

/** Sends the headers, and returns the trailers. */
function describe(call, method) {
  const header = new grpc.Metadata();
  header.set("x-showcase-header", `head-${method}`);
  header.set("x-showcase-bin", Buffer.from([1, 2, 3]));
  call.sendMetadata(header);
  const trailer = new grpc.Metadata();
  trailer.set("x-showcase-trailer", `trail-${method}`);
  return trailer;
}

/** Returns an error with a detail and metadata, for a call with these trailers. */
function failure(trailer, method, reason) {
  const code = grpc.status.FAILED_PRECONDITION;
  trailer.set("x-showcase-error", `meta-${method}`);
  trailer.set("grpc-status-details-bin", statuses["bookshop.rpc.v1.Status"].serialize({
    code,
    message: reason,
    details: [{
      typeUrl: "type.googleapis.com/showcase.v1.FailDetail",
      value: definition["showcase.v1.FailDetail"].serialize({ hint: "hint" }),
    }],
  }));
  return Object.assign(new Error(reason), { code, details: reason, metadata: trailer });
}

function numbers(call, n) {
  for (let number = 1; number <= Math.min(n, maxMessages); number++) {
    call.write({ number });
  }
}

const service = {
  greet(call, respond) {
    const cookies = call.metadata.get("cookie").flatMap((value) => value.split(";"));
    const trailer = describe(call, "Greet");
    const cookieNames = cookies.map((cookie) => cookie.trim().split("=")[0]);
    respond(null, { greeting: `Hello, ${call.request.name}!`, cookieNames }, trailer);
  },
  lookup(call, respond) {
    const trailer = describe(call, "Lookup");
    const { key } = call.request;
    if (key) {
      respond(null, { value: key.toUpperCase(), httpMethod: "POST" }, trailer);
    } else {
      respond(failure(trailer, "Lookup", "no key"));
    }
  },
  count(call) {
    const trailer = describe(call, "Count");
    numbers(call, call.request.upTo);
    call.end(trailer);
  },
  silence(call) {
    call.end(describe(call, "Silence"));
  },
  fail(call, respond) {
    respond(failure(describe(call, "Fail"), "Fail", call.request.reason));
  },
  failStream(call) {
    const trailer = describe(call, "FailStream");
    numbers(call, call.request.after);
    call.emit("error", failure(trailer, "FailStream", call.request.reason));
  },
  collect(call, respond) {
    let sum = 0;
    call.on("data", ({ number }) => (sum += number));
    call.on("end", () => respond(null, { sum }, describe(call, "Collect")));
  },
  chat(call) {
    const trailer = describe(call, "Chat");
    call.on("data", ({ text }) => call.write({ text: `You said: ${text}` }));
    call.on("end", () => call.end(trailer));
  },
};

const server = new grpc.Server();
server.addService(showcase.v1.ShowcaseService.service, service);
new ReflectionService(definition).addToServer(server);
server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) {
    throw error;
  }
  console.log(`listening on 127.0.0.1:${port}`);
});
process.on("SIGTERM", () => server.forceShutdown());
