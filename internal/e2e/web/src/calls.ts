// This file calls the showcase service with the official client, passes calls of the other clients to their files, and
// returns everything that the script can read of each response.

import { type DescMethod, type JsonObject, type JsonValue, fromJson, toJson } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { type CallOptions, Code, ConnectError, type Transport, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { FailDetailSchema, ShowcaseService } from "./gen/showcase/v1/showcase_pb";
import { countGrpcWeb, readGrpcWeb } from "./grpc_web_client";
import { readNiceGrpcWeb, readProtobufTs } from "./other_clients";

/** A call of a test. */
export interface Call {
  /** The official Connect client over one of its protocols, or another client. */
  transport: "connect" | "grpc-web" | "grpc-web client" | "protobuf-ts" | "nice-grpc-web";
  /** The method's name, as in the schema. */
  method: string;
  /** The messages that the client sends: one, except for client streams. */
  requests: JsonObject[];
  /** Call methods without side effects by GET, which only Connect has. */
  get?: boolean;
  /** Send and read the format that the transport does not use unless told to. */
  otherFormat?: boolean;
  /** Send cookies. */
  credentials?: boolean;
  headers?: Record<string, string>;
  timeoutMs?: number;
  /** Call the method under another name, as a client from another version of the schema would. */
  callAs?: string;
  /** Call the method of this service, whose methods have the same messages. */
  service?: string;
  /** Call the method by GET although the schema does not declare it free of side effects. */
  pretendNoSideEffects?: boolean;
  /** Send this content type in place of the right one. */
  contentType?: string;
  /** Avoid the preflight as the grpc-web client can: as a form, with the headers in the query. */
  suppressCorsPreflight?: boolean;
}

/** Everything that the script read of a call. */
export interface Reading {
  messages: JsonValue[];
  headers: Record<string, string>;
  trailers: Record<string, string>;
  error?: {
    code: string;
    message: string;
    /** The error's own message property, which a page shows. The client may put its code and path in front of the message. */
    shown: string;
    details: JsonValue[];
    metadata: Record<string, string>;
  };
}

/** Makes the calls one after another. */
export async function callShowcase(baseUrl: string, calls: Call[]): Promise<Reading[]> {
  const readings: Reading[] = [];
  for (const call of calls) {
    readings.push(await read(baseUrl, call).catch(thrown));
  }
  return readings;
}

/** The reading of a call whose client threw something that is not an error of the call. */
function thrown(e: unknown): Reading {
  return { messages: [], headers: {}, trailers: {}, error: { code: "thrown", message: String(e), shown: String(e), details: [], metadata: {} } };
}

/** Reads the first message of a stream, and then requests the next one at another address of the server. */
export async function readAndRelease(baseUrl: string, transport: Call["transport"], release: string): Promise<number[]> {
  const numbers: number[] = [];
  for await (const number of count(baseUrl, transport, 2)) {
    numbers.push(number);
    if (numbers.length === 1) {
      await fetch(release, { method: "POST" });
    }
  }
  return numbers;
}

/** Reads the first message of a stream and cancels it. */
export async function readAndCancel(baseUrl: string, transport: Call["transport"]): Promise<number> {
  const controller = new AbortController();
  for await (const number of count(baseUrl, transport, 2, controller.signal)) {
    controller.abort();
    return number;
  }
  return 0;
}

async function* count(baseUrl: string, transport: Call["transport"], upTo: number, signal?: AbortSignal): AsyncIterable<number> {
  if (transport === "grpc-web client") {
    yield* countGrpcWeb(baseUrl, upTo, signal);
    return;
  }
  const client = createClient(ShowcaseService, transportFor(baseUrl, { transport, method: "Count", requests: [] }));
  for await (const message of client.count({ upTo }, { signal })) {
    yield message.number;
  }
}

async function read(baseUrl: string, call: Call): Promise<Reading> {
  const method = methodFor(call);
  switch (call.transport) {
    case "grpc-web client":
      return readGrpcWeb(baseUrl, method, call);
    case "protobuf-ts":
      return readProtobufTs(baseUrl, method, call);
    case "nice-grpc-web":
      return readNiceGrpcWeb(baseUrl, method, call);
  }
  const reading: Reading = { messages: [], headers: {}, trailers: {} };
  const options: CallOptions = {
    headers: call.headers,
    timeoutMs: call.timeoutMs,
    onHeader: (headers) => void (reading.headers = plain(headers)),
    onTrailer: (trailers) => void (reading.trailers = plain(trailers)),
  };
  const client = createClient(
    { ...ShowcaseService, methods: [method], method: { [method.localName]: method } },
    transportFor(baseUrl, call),
  ) as unknown as Record<string, (request: unknown, options: CallOptions) => unknown>;
  const requests = call.requests.map((r) => fromJson(method.input, r));
  const streamsRequests = method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming";
  try {
    const answer = client[method.localName](streamsRequests ? each(requests) : requests[0], options);
    if (method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming") {
      for await (const message of answer as AsyncIterable<never>) {
        reading.messages.push(toJson(method.output, message));
      }
    } else {
      reading.messages.push(toJson(method.output, (await answer) as never));
    }
  } catch (e) {
    if (!(e instanceof ConnectError)) {
      throw e; // not an error of the client
    }
    reading.error = {
      code: Code[e.code],
      message: e.rawMessage,
      shown: e.message,
      details: e.findDetails(FailDetailSchema).map((d) => toJson(FailDetailSchema, d)),
      metadata: plain(e.metadata),
    };
  }
  return reading;
}

function methodFor(call: Call): DescMethod {
  const method = ShowcaseService.methods.find((m) => m.name === call.method);
  if (!method) {
    throw new Error(`the showcase service has no method ${call.method}`);
  }
  return {
    ...method,
    name: call.callAs ?? method.name,
    parent: { ...method.parent, typeName: call.service ?? method.parent.typeName },
    idempotency: call.pretendNoSideEffects ? MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS : method.idempotency,
  } as DescMethod;
}

function transportFor(baseUrl: string, call: Call): Transport {
  const options = {
    baseUrl,
    fetch: (input: RequestInfo | URL, init?: RequestInit) => {
      const headers = new Headers(init?.headers);
      if (call.contentType !== undefined) {
        headers.set("Content-Type", call.contentType);
      }
      return fetch(input, { ...init, headers, credentials: call.credentials ? "include" : "same-origin" });
    },
  };
  switch (call.transport) {
    case "connect":
      return createConnectTransport({ ...options, useHttpGet: call.get, useBinaryFormat: call.otherFormat === true });
    default:
      return createGrpcWebTransport({ ...options, useBinaryFormat: call.otherFormat !== true });
  }
}

async function* each<T>(items: T[]): AsyncIterable<T> {
  yield* items;
}

function plain(headers: Headers): Record<string, string> {
  return Object.fromEntries(headers);
}
