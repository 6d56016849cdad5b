// Calls each method with each transport, and collects the parts of each response that the script can read.

import { type CallOptions, Code, ConnectError, type Transport, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { FailDetailSchema, ShowcaseService } from "./gen/showcase/v1/showcase_pb";
import { createGrpcWebClientTransport } from "./grpc_web";

/** A part of a response, such as a header. */
export interface Item {
  name: string;
  /** The value that the script read; undefined if it could not read the part. */
  value?: string;
  /** Why the script could not read the part. */
  cause?: string;
}

/** The result of one call. */
export interface Result {
  outcome: "readable" | "incomplete" | "blocked" | "impossible";
  items: Item[];
  /** Why the outcome is not "readable". */
  cause?: string;
  preflights: number;
}

/** A column of the table: a client and a protocol. */
export interface Protocol {
  client: "connect-web" | "grpc-web";
  name: string;
  transport: Transport;
}

/** A row of the table: a kind of call. */
export interface Kind {
  method: string;
  description: string;
  call: (client: Client, options: CallOptions) => Promise<string>;
  fails?: boolean;
  impossible?: boolean;
}

type Client = ReturnType<typeof createClient<typeof ShowcaseService>>;

/** Returns every client and protocol for a server, with or without cookies. */
export function protocols(baseUrl: string, speaksConnect: boolean, credentials: boolean): Protocol[] {
  const options = {
    baseUrl,
    fetch: (input: RequestInfo | URL, init?: RequestInit) =>
      fetch(input, { ...init, credentials: credentials ? "include" : "same-origin" }),
  };
  const all: Protocol[] = [
    { client: "connect-web", name: "Connect", transport: createConnectTransport({ ...options, useHttpGet: true }) },
    { client: "connect-web", name: "gRPC-Web", transport: createGrpcWebTransport(options) },
    { client: "grpc-web", name: "text", transport: createGrpcWebClientTransport({ baseUrl, format: "text", credentials }) },
    { client: "grpc-web", name: "binary", transport: createGrpcWebClientTransport({ baseUrl, format: "binary", credentials }) },
  ];
  return speaksConnect ? all : all.slice(1);
}

/** Reads a stream. An error of the stream has the messages before it in "before". */
async function collect<T>(stream: AsyncIterable<T>, text: (message: T) => string): Promise<string> {
  const texts: string[] = [];
  try {
    for await (const message of stream) {
      texts.push(text(message));
    }
  } catch (e) {
    throw Object.assign(ConnectError.from(e), { before: texts.join(", ") });
  }
  return texts.join(", ") || "no messages, as expected";
}

async function* once<T>(message: T): AsyncIterable<T> {
  yield message;
}

/** All kinds of calls. */
export const kinds: Kind[] = [
  {
    method: "Greet",
    description: "unary",
    call: async (c, o) => {
      const r = await c.greet({ name: "browser" }, o);
      return `${r.greeting} (cookies: ${r.cookieNames.join(", ") || "none"})`;
    },
  },
  {
    method: "Lookup",
    description: "no side effects",
    call: async (c, o) => {
      const r = await c.lookup({ key: "answer" }, o);
      return `${r.value} (by ${r.httpMethod})`;
    },
  },
  { method: "Count", description: "stream", call: (c, o) => collect(c.count({ upTo: 3 }, o), (m) => `${m.number}`) },
  { method: "Silence", description: "empty stream", call: (c, o) => collect(c.silence({}, o), () => "a message") },
  {
    method: "Fail",
    description: "unary error",
    fails: true,
    call: async (c, o) => String(await c.fail({ reason: "not today" }, o)),
  },
  {
    method: "FailStream",
    description: "error before the first message",
    fails: true,
    call: (c, o) => collect(c.failStream({ reason: "not today", after: 0 }, o), (m) => `${m.number}`),
  },
  {
    method: "FailStream",
    description: "error after two messages",
    fails: true,
    call: (c, o) => collect(c.failStream({ reason: "not today", after: 2 }, o), (m) => `${m.number}`),
  },
  {
    method: "Collect",
    description: "client stream",
    impossible: true,
    call: async (c, o) => String((await c.collect(once({ number: 1 }), o)).sum),
  },
  {
    method: "Chat",
    description: "bidirectional stream",
    impossible: true,
    call: (c, o) => collect(c.chat(once({ text: "hi" }), o), (m) => m.text),
  },
];

/** Makes one call, and counts its preflights. */
export async function run(kind: Kind, protocol: Protocol, preflights: () => Promise<number>): Promise<Result> {
  const before = await preflights();
  let headers = new Headers();
  let trailers = new Headers();
  let message: string | undefined;
  let error: (ConnectError & { before?: string }) | undefined;
  try {
    message = await kind.call(createClient(ShowcaseService, protocol.transport), {
      onHeader: (h) => void (headers = h),
      onTrailer: (t) => void (trailers = t),
    });
  } catch (e) {
    error = ConnectError.from(e);
  }
  const count = (await preflights()) - before;

  if (kind.impossible && error) {
    return { outcome: "impossible", items: [], cause: `Browsers cannot make this call: ${error.rawMessage}.`, preflights: count };
  }
  // The client cannot distinguish a refusal from a lost connection, since browsers hide the reason from scripts.
  if (error?.code === Code.Unknown && error.cause instanceof TypeError) {
    return {
      outcome: "blocked",
      items: [],
      cause: `The origin is not allowed, or the server is down. The script only gets the error “${error.rawMessage}”.`,
      preflights: count,
    };
  }
  const items = kind.fails ? errorItems(error) : answerItems(message, headers, trailers, error);
  const missing = items.filter((i) => i.value === undefined);
  return {
    outcome: missing.length > 0 ? "incomplete" : "readable",
    items,
    cause: missing.map((i) => i.cause).join(" ") || undefined,
    preflights: count,
  };
}

function answerItems(message: string | undefined, headers: Headers, trailers: Headers, error?: ConnectError): Item[] {
  return [
    item("message", message, `The call failed: ${error?.message ?? "there was no message"}.`),
    header("header", headers, "x-showcase-header"),
    header("binary header", headers, "x-showcase-bin"),
    header("trailer", trailers, "x-showcase-trailer"),
  ];
}

function errorItems(error?: ConnectError & { before?: string }): Item[] {
  const details = error?.findDetails(FailDetailSchema).map((d) => d.hint).join(", ");
  const items = [
    item("code", error?.code === Code.FailedPrecondition ? "failed_precondition" : undefined, `The code is ${error ? Code[error.code] : "missing"}: the status headers are not exposed.`),
    item("message", error?.rawMessage, "The error has no message: the status headers are not exposed."),
    item("details", details, "The details are missing: Grpc-Status-Details-Bin is not exposed."),
    header("error metadata", error?.metadata ?? new Headers(), "x-showcase-error"),
  ];
  return error?.before ? [item("messages before", error.before, ""), ...items] : items;
}

function item(name: string, value: string | undefined, cause: string): Item {
  return value ? { name, value } : { name, cause };
}

function header(name: string, headers: Headers, key: string): Item {
  return item(name, headers.get(key) ?? undefined, `${key} is not exposed to this page.`);
}
