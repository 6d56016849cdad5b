// This file calls the showcase service with the grpc-web client, and returns everything that the script can read of each
// response. The client needs no generated code of its own: it uses the schema of the generated Connect code.

import { type DescMethod, type JsonValue, type Message, fromBinary, fromJson, toBinary, toJson } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { findTrailerError } from "@connectrpc/connect/protocol-grpc";
import { GrpcWebClientBase, MethodDescriptor, MethodType, type Metadata, type RpcError } from "grpc-web";
import type { Call, Reading } from "./calls";
import { type CountResponse, FailDetailSchema, ShowcaseService } from "./gen/showcase/v1/showcase_pb";

/** Makes one call. Text is the client's default; the other format is binary. */
export function readGrpcWeb(baseUrl: string, method: DescMethod, call: Call): Promise<Reading> {
  const { client, url, request, metadata, descriptor } = prepare(baseUrl, method, call);
  const reading: Reading = { messages: [], headers: {}, trailers: {} };
  const fail = (e: RpcError) => {
    reading.error = {
      code: Code[e.code],
      message: e.message,
      shown: e.message,
      details: details(e),
      metadata: { ...e.metadata },
    };
  };
  return new Promise((resolve) => {
    if (method.methodKind === "unary") {
      client
        .rpcCall(url, request, metadata, descriptor, (error, response) => {
          if (error) {
            fail(error);
            resolve(reading);
          } else {
            reading.messages.push(toJson(method.output, response));
          }
        })
        .on("metadata", (m) => void (reading.headers = { ...m }))
        .on("status", (s) => void (reading.trailers = { ...s.metadata }))
        .on("end", () => resolve(reading));
      return;
    }
    client
      .serverStreaming(url, request, metadata, descriptor)
      .on("metadata", (m) => void (reading.headers = { ...m }))
      .on("status", (s) => void (reading.trailers = { ...s.metadata }))
      .on("data", (message) => void reading.messages.push(toJson(method.output, message)))
      .on("error", (e) => {
        fail(e);
        resolve(reading);
      })
      .on("end", () => resolve(reading));
  });
}

/** Yields the numbers of a stream as they arrive, and cancels the stream when the caller stops. */
export async function* countGrpcWeb(baseUrl: string, upTo: number, signal?: AbortSignal): AsyncIterable<number> {
  const method = ShowcaseService.method.count;
  const call: Call = { transport: "grpc-web client", method: method.name, requests: [{ upTo }] };
  const { client, url, request, metadata, descriptor } = prepare(baseUrl, method, call);
  const numbers: number[] = [];
  let ended = false;
  let wake = () => {};
  const stream = client
    .serverStreaming(url, request, metadata, descriptor)
    .on("data", (message) => {
      numbers.push((message as CountResponse).number);
      wake();
    })
    .on("error", (e) => {
      ended = true;
      numbers.push(-e.code); // the service sends no negative numbers
      wake();
    })
    .on("end", () => {
      ended = true;
      wake();
    });
  signal?.addEventListener("abort", () => stream.cancel());
  while (numbers.length > 0 || !ended) {
    if (numbers.length > 0) {
      yield numbers.shift() as number;
    } else {
      await new Promise<void>((resolve) => (wake = resolve));
    }
  }
}

function prepare(baseUrl: string, method: DescMethod, call: Call) {
  const client = new GrpcWebClientBase({
    format: call.otherFormat ? "binary" : "text",
    withCredentials: call.credentials === true,
    suppressCorsPreflight: call.suppressCorsPreflight === true,
  });
  const url = `${baseUrl}/${method.parent.typeName}/${method.name}`;
  const metadata: Metadata = { ...call.headers };
  if (call.timeoutMs !== undefined) {
    metadata.deadline = String(Date.now() + call.timeoutMs);
  }
  const descriptor = new MethodDescriptor<Message, Message>(
    `/${method.parent.typeName}/${method.name}`,
    method.methodKind === "unary" ? MethodType.UNARY : MethodType.SERVER_STREAMING,
    Object as never,
    Object as never,
    (m: Message) => toBinary(method.input, m),
    (bytes: Uint8Array) => fromBinary(method.output, bytes),
  );
  const request = fromJson(method.input, call.requests[0] ?? {});
  return { client, url, request, metadata, descriptor };
}

// The client returns the bytes of the details. The caller has to decode them.
function details(e: RpcError): JsonValue[] {
  const decoded = findTrailerError(new Headers(e.metadata));
  return decoded?.findDetails(FailDetailSchema).map((d) => toJson(FailDetailSchema, d)) ?? [];
}
