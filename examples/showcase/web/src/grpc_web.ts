// This file makes the grpc-web client a transport of the Connect client, so that the rest of the page is the same for both
// clients. The grpc-web client needs no generated code of its own: it uses the schema of the generated Connect code.

import { type DescMessage, type DescMethod, type Message, type MessageShape, create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { findTrailerError } from "@connectrpc/connect/protocol-grpc";
import { GrpcWebClientBase, MethodDescriptor, MethodType, type RpcError } from "grpc-web";

interface Options {
  baseUrl: string;
  /** Text is the client's default. Only in this format it reads the messages of a stream as they arrive. */
  format: "text" | "binary";
  credentials: boolean;
}

/** Returns a transport for unary calls and server streams. The grpc-web client supports no others. */
export function createGrpcWebClientTransport(options: Options): Transport {
  return {
    async unary(method, _signal, _timeoutMs, _header, input) {
      const answer = call(options, method, create(method.input, input));
      const [message] = await all(answer.messages);
      return { stream: false, service: method.parent, method, header: answer.header, trailer: answer.trailer, message };
    },
    async stream(method, _signal, _timeoutMs, _header, input) {
      if (method.methodKind !== "server_streaming") {
        throw new ConnectError("The grpc-web client does not support this kind of call", Code.Unimplemented);
      }
      const [request] = await all(input);
      const answer = call(options, method, create(method.input, request));
      return { stream: true, service: method.parent, method, header: answer.header, trailer: answer.trailer, message: answer.messages };
    },
  };
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) {
    list.push(item);
  }
  return list;
}

/** Makes a call. It fills in the headers and trailers as they arrive. The messages end with the call, or throw its error. */
function call<I extends DescMessage, O extends DescMessage>(options: Options, method: DescMethod & { input: I; output: O }, request: MessageShape<I>) {
  const header = new Headers();
  const trailer = new Headers();
  const messages = new Queue<MessageShape<O>>();
  const path = `/${method.parent.typeName}/${method.name}`;
  const streams = method.methodKind === "server_streaming";
  const descriptor = new MethodDescriptor<Message, Message>(
    path,
    streams ? MethodType.SERVER_STREAMING : MethodType.UNARY,
    Object as never, // the constructors are only for generated code
    Object as never,
    (m: Message) => toBinary(method.input, m as MessageShape<I>),
    (bytes: Uint8Array) => fromBinary(method.output, bytes),
  );
  const client = new GrpcWebClientBase({ format: options.format, withCredentials: options.credentials });
  const fail = (e: RpcError) => messages.end(toConnectError(e, header));
  const take = (m: Message) => messages.push(m as MessageShape<O>);
  const stream = streams
    ? client.serverStreaming(options.baseUrl + path, request, {}, descriptor).on("data", take).on("error", fail)
    : client.rpcCall(options.baseUrl + path, request, {}, descriptor, (e, m) => (e ? fail(e) : take(m)));
  stream
    .on("metadata", (m) => Object.entries(m).forEach(([name, value]) => header.set(name, value)))
    .on("status", (s) => Object.entries(s.metadata ?? {}).forEach(([name, value]) => trailer.set(name, value)))
    .on("end", () => messages.end());
  return { header, trailer, messages };
}

/** A queue of items for one reader. Only the first call of end has an effect. */
class Queue<T> implements AsyncIterable<T> {
  private readonly items: T[] = [];
  private ended: { error?: ConnectError } | undefined;
  private wake = () => {};

  push(item: T): void {
    this.items.push(item);
    this.wake();
  }

  end(error?: ConnectError): void {
    this.ended ??= { error };
    this.wake();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<T> {
    for (;;) {
      if (this.items.length > 0) {
        yield this.items.shift() as T;
      } else if (!this.ended) {
        await new Promise<void>((resolve) => (this.wake = resolve));
      } else if (this.ended.error) {
        throw this.ended.error;
      } else {
        return;
      }
    }
  }
}

/** Converts an error of the grpc-web client to one of the Connect client. */
function toConnectError(e: RpcError, header: Headers): ConnectError {
  const metadata = new Headers(header);
  for (const [name, value] of Object.entries(e.metadata ?? {})) {
    metadata.set(name, value);
  }
  const error = new ConnectError(e.message, e.code as number as Code, metadata);
  error.details = findTrailerError(new Headers(e.metadata))?.details ?? [];
  if (e.message.endsWith("http status code: 0")) {
    error.cause = new TypeError(e.message); // fetch throws a TypeError in this case
  }
  return error;
}
