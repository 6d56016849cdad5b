// This file calls the showcase service with protobuf-ts and nice-grpc-web, and returns everything that the script can read of
// each response.
// Both clients have generators of their own; here they use the schema of the generated Connect code.

import { type DescMethod, type JsonValue, type Message, fromBinary, fromJson, toBinary, toJson } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { findTrailerError } from "@connectrpc/connect/protocol-grpc";
import { GrpcWebFetchTransport } from "@protobuf-ts/grpcweb-transport";
import { type MethodInfo, RpcError, type RpcMetadata } from "@protobuf-ts/runtime-rpc";
import { ClientError, FetchTransport, Metadata, createChannel, createClient } from "nice-grpc-web";
import type { Call, Reading } from "./calls";
import { FailDetailSchema } from "./gen/showcase/v1/showcase_pb";

/** Makes one call with protobuf-ts. Text is its default; the other format is binary. */
export async function readProtobufTs(baseUrl: string, method: DescMethod, call: Call): Promise<Reading> {
  const transport = new GrpcWebFetchTransport({
    baseUrl,
    format: call.otherFormat ? "binary" : "text",
    fetchInit: { credentials: call.credentials ? "include" : "same-origin" },
  });
  const info = {
    service: { typeName: method.parent.typeName, methods: [], options: {} },
    name: method.name,
    localName: method.localName,
    idempotency: undefined,
    serverStreaming: method.methodKind === "server_streaming",
    clientStreaming: false,
    I: { toBinary: (m: Message) => toBinary(method.input, m) },
    O: { fromBinary: (bytes: Uint8Array) => fromBinary(method.output, bytes) },
    options: {},
  } as unknown as MethodInfo<Message, Message>;
  const options = transport.mergeOptions({ meta: call.headers, timeout: call.timeoutMs });
  const request = fromJson(method.input, call.requests[0] ?? {});
  const reading: Reading = { messages: [], headers: {}, trailers: {} };
  const answer = info.serverStreaming ? transport.serverStreaming(info, request, options) : transport.unary(info, request, options);
  // Each of these promises is rejected with the error of the call.
  await answer.headers.then((h) => (reading.headers = plain(h))).catch(() => {});
  try {
    if ("responses" in answer) {
      for await (const message of answer.responses) {
        reading.messages.push(toJson(method.output, message));
      }
    } else {
      reading.messages.push(toJson(method.output, await answer.response));
    }
    await answer.status;
  } catch (e) {
    if (!(e instanceof RpcError)) {
      throw e;
    }
    const words = e.code.toLowerCase().replace(/(^|_)[a-z]/g, (c) => c.slice(-1).toUpperCase());
    reading.error = { code: words, message: e.message, shown: e.message, details: details(e.meta), metadata: plain(e.meta) };
  }
  await answer.status.catch(() => {});
  await answer.trailers.then((t) => (reading.trailers = plain(t))).catch(() => {});
  return reading;
}

function plain(metadata: RpcMetadata): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, String(value)]));
}

// The clients return the bytes of the details. The caller has to decode them.
function details(metadata: RpcMetadata): JsonValue[] {
  const bytes = metadata["grpc-status-details-bin"];
  return bytes === undefined ? [] : decoded(String(bytes));
}

function decoded(base64: string): JsonValue[] {
  const error = findTrailerError(new Headers({ "grpc-status": "2", "grpc-status-details-bin": base64 }));
  return error?.findDetails(FailDetailSchema).map((d) => toJson(FailDetailSchema, d)) ?? [];
}

/** Makes one call with nice-grpc-web, which supports only the binary format. */
export async function readNiceGrpcWeb(baseUrl: string, method: DescMethod, call: Call): Promise<Reading> {
  const definition = {
    [method.localName]: {
      path: `/${method.parent.typeName}/${method.name}`,
      requestStream: false,
      responseStream: method.methodKind === "server_streaming",
      requestSerialize: (m: Message) => toBinary(method.input, m),
      requestDeserialize: (bytes: Uint8Array) => fromBinary(method.input, bytes),
      responseSerialize: (m: Message) => toBinary(method.output, m),
      responseDeserialize: (bytes: Uint8Array) => fromBinary(method.output, bytes),
      options: {},
    },
  } as const;
  const channel = createChannel(baseUrl, FetchTransport({ credentials: call.credentials ? "include" : "same-origin" }));
  const client = createClient(definition, channel) as Record<string, (request: Message, options: object) => unknown>;
  const reading: Reading = { messages: [], headers: {}, trailers: {} };
  let detail = "";
  const options = {
    metadata: new Metadata(call.headers),
    onHeader: (h: Metadata) => void (reading.headers = texts(h)),
    onTrailer: (t: Metadata) => {
      reading.trailers = texts(t);
      detail = reading.trailers["grpc-status-details-bin"] ?? "";
    },
  };
  try {
    const answer = client[method.localName](fromJson(method.input, call.requests[0] ?? {}), options);
    if (method.methodKind === "server_streaming") {
      for await (const message of answer as AsyncIterable<Message>) {
        reading.messages.push(toJson(method.output, message));
      }
    } else {
      reading.messages.push(toJson(method.output, await (answer as Promise<Message>)));
    }
  } catch (e) {
    if (!(e instanceof ClientError)) {
      throw e;
    }
    const code = Code[e.code as number];
    reading.error = { code, message: e.details, shown: e.message, details: detail === "" ? [] : decoded(detail), metadata: {} };
  }
  return reading;
}

function texts(metadata: Metadata): Record<string, string> {
  const all: Record<string, string> = {};
  for (const [name, values] of metadata) {
    all[name] = values.map((v) => (typeof v === "string" ? v : btoa(String.fromCharCode(...v)))).join(", ");
  }
  return all;
}
