// Calls both servers through the gateway, and shows what the script could read. The
// transport is all that is special here: browsers cannot speak gRPC, so it is gRPC-Web.

import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { CatalogService, UnknownBookSchema } from "../build/web/bookshop/catalog/v1/catalog_pb";
import { BackOfficeService, OrderService, OutOfStockSchema } from "../build/web/bookshop/orders/v1/orders_pb";

/* global GATEWAY: the address, which run.sh puts in place of the name */
const transport = createGrpcWebTransport({ baseUrl: GATEWAY });
const catalog = createClient(CatalogService, transport);
const orders = createClient(OrderService, transport);
const backOffice = createClient(BackOfficeService, transport);

const calls = {
  "Python, one answer": async (show) => {
    let header, trailer;
    const book = await catalog.getBook(
      { isbn: "9780131103627" },
      { headers: { "X-Reader": "Ada" }, onHeader: (h) => (header = h), onTrailer: (t) => (trailer = t) },
    );
    show(`${book.title}; header: ${header.get("x-greeting")}; trailer: ${trailer.get("x-in-stock")} in stock`);
  },
  "Python, a stream": async (show) => {
    let trailer;
    for await (const book of catalog.listBooks({}, { onTrailer: (t) => (trailer = t) })) {
      show(`${book.title}; `);
    }
    show(`trailer: ${trailer.get("x-books")} books`);
  },
  "Python, an error": async (show) => {
    await catalog.getBook({ isbn: "1" }).catch((e) => {
      show(`${describe(e)}; detail: UnknownBook ${ConnectError.from(e).findDetails(UnknownBookSchema)[0]?.isbn}`);
    });
  },
  "Node.js, one answer": async (show) => {
    let header, trailer;
    const order = await orders.placeOrder(
      { isbn: "9780131103627", copies: 2 },
      { headers: { "X-Customer": "Ada" }, onHeader: (h) => (header = h), onTrailer: (t) => (trailer = t) },
    );
    show(`${order.confirmation}; header: order ${header.get("x-order-id")}; trailer: costs ${trailer.get("x-cost")}`);
  },
  "Node.js, a stream": async (show) => {
    for await (const order of orders.watchOrder({ orderId: "1" })) {
      show(`${order.state} `);
    }
  },
  "Node.js, an error": async (show) => {
    await orders.placeOrder({ isbn: "9780131103627", copies: 10 }).catch((e) => {
      show(`${describe(e)}; detail: OutOfStock ${ConnectError.from(e).findDetails(OutOfStockSchema)[0]?.copiesLeft}`);
    });
  },
  "Node.js, a call that the policy refuses": async (show) => {
    await backOffice.listOrders({}).catch((e) => show(describe(e)));
  },
};

function describe(e) {
  const error = ConnectError.from(e);
  return `${Code[error.code]}: ${error.rawMessage}`;
}

async function callAll() {
  const button = document.getElementById("call");
  const list = document.getElementById("calls");
  button.disabled = true;
  list.replaceChildren();
  for (const [name, call] of Object.entries(calls)) {
    const result = document.createElement("dd");
    list.append(Object.assign(document.createElement("dt"), { textContent: name }), result);
    await call((text) => result.append(text)).catch((e) => result.append(describe(e)));
  }
  button.disabled = false;
}

document.getElementById("here").textContent = location.origin;
document.getElementById("gateway").textContent = GATEWAY;
document.getElementById("call").addEventListener("click", callAll);
void callAll();
