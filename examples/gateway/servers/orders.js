// The orders: a gRPC server in Node.js, with gRPC server reflection. It has no code for
// browsers or for CORS.
//
//	node orders.js [PORT]    on 127.0.0.1; without a port, the system chooses one

import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { ReflectionService } from "@grpc/reflection";
import { fileURLToPath } from "node:url";
import { setTimeout as wait } from "node:timers/promises";

const definition = loadSync(["bookshop/orders/v1/orders.proto", "bookshop/rpc/v1/status.proto"], {
  includeDirs: [fileURLToPath(new URL("../proto", import.meta.url))],
});
const { bookshop } = grpc.loadPackageDefinition(definition);

/** Returns an error that has a detail, a message of the type with this name. */
function failure(code, message, name, detail) {
  const status = definition["bookshop.rpc.v1.Status"].serialize({
    code,
    message,
    details: [{ typeUrl: `type.googleapis.com/${name}`, value: definition[name].serialize(detail) }],
  });
  const metadata = new grpc.Metadata();
  metadata.set("grpc-status-details-bin", status);
  return Object.assign(new Error(message), { code, metadata });
}

const orders = {
  placeOrder(call, respond) {
    const { isbn, copies } = call.request;
    if (copies > 9) {
      respond(failure(grpc.status.FAILED_PRECONDITION, "too few copies", "bookshop.orders.v1.OutOfStock", { copiesLeft: 9 }));
      return;
    }
    const [customer = "a stranger"] = call.metadata.get("x-customer");
    const header = new grpc.Metadata();
    header.set("x-order-id", "1");
    call.sendMetadata(header);
    const trailer = new grpc.Metadata();
    trailer.set("x-cost", String(30 * copies));
    respond(null, { confirmation: `${copies} × ${isbn} for ${customer}` }, trailer);
  },

  async watchOrder(call) {
    for (const state of ["packed", "sent", "delivered"]) {
      call.write({ state });
      await wait(200); // for the page to show that messages arrive one by one
    }
    call.end();
  },
};

const backOffice = {
  listOrders: (_, respond) => respond(null, { customers: ["7"] }),
};

const server = new grpc.Server();
server.addService(bookshop.orders.v1.OrderService.service, orders);
server.addService(bookshop.orders.v1.BackOfficeService.service, backOffice);
new ReflectionService(definition).addToServer(server);
server.bindAsync(`127.0.0.1:${process.argv[2] ?? 0}`, grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) {
    throw error;
  }
  console.log(`listening on 127.0.0.1:${port}`);
});
for (const name of ["SIGINT", "SIGTERM"]) {
  process.on(name, () => server.forceShutdown());
}
