// The calls with the first generation of the SDK, @modelcontextprotocol/sdk: revisions with
// sessions, up to 2025-11-25.

import { discoverOAuthProtectedResourceMetadata, extractWWWAuthenticateParams } from "@modelcontextprotocol/sdk/client/auth.js";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { LoggingMessageNotificationSchema } from "@modelcontextprotocol/sdk/types.js";

// connect opens a session of its own for each call, so that no call depends on another one.
async function connect(url, options) {
  const client = new Client({ name: "page", version: "1.0.0" });
  const transport = new StreamableHTTPClientTransport(new URL(url), options);
  await client.connect(transport);
  return { client, transport };
}

export const calls = {
  "a session": async ({ mcp }, show) => {
    const { transport } = await connect(mcp);
    show(`${transport.protocolVersion}, session ${transport.sessionId}`);
  },
  "the list of tools": async ({ mcp }, show) => {
    const { client } = await connect(mcp);
    const { tools } = await client.listTools();
    show(tools.map((tool) => tool.name).join(", "));
  },
  "a call": async ({ mcp }, show) => {
    const { client } = await connect(mcp);
    const result = await client.callTool({ name: "forecast", arguments: { region: "eu" } });
    show(result.content[0].text);
  },
  "a notification on the stream of the session": async ({ mcp }, show) => {
    const { client } = await connect(mcp);
    const warning = new Promise((done) => {
      client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => done(params.data));
    });
    await client.setLoggingLevel("info");
    await client.callTool({ name: "warn", arguments: { region: "eu" } });
    show(await warning);
  },
  "a stream that is cut and resumed": async ({ mcp }, show) => {
    let resumed = 0;
    const { client } = await connect(mcp, {
      fetch: (url, init) => {
        if (new Headers(init.headers).has("last-event-id")) resumed++;
        return fetch(url, init);
      },
    });
    const result = await client.callTool({ name: "watch", arguments: { region: "eu" } }, undefined, {
      onprogress: ({ message }) => show(`${message}, `),
    });
    show(`${result.content[0].text}, resumed ${resumed} time`);
  },
  "the end of a session": async ({ mcp }, show) => {
    const { client, transport } = await connect(mcp);
    const ended = transport.sessionId;
    await transport.terminateSession();
    const answer = await fetch(mcp, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json, text/event-stream", "Mcp-Session-Id": ended },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" }),
    });
    show(`afterwards: ${answer.status} ${await answer.text()}`);
    await client.close();
  },
  "401, the discovery document, a token": async ({ members, token }, show) => {
    let refusal;
    await connect(members, {
      fetch: async (url, init) => (refusal = await fetch(url, init)),
    }).catch((e) => show(`${e.code}; `));
    const { resourceMetadataUrl, scope } = extractWWWAuthenticateParams(refusal);
    const metadata = await discoverOAuthProtectedResourceMetadata(members, { resourceMetadataUrl });
    show(`scope ${scope}, sign in at ${metadata.authorization_servers[0]}; `);
    // A real page sends its user there, and gets a token. This one has a token already.
    const { client } = await connect(members, { requestInit: { headers: { Authorization: `Bearer ${token}` } } });
    const result = await client.callTool({ name: "forecast", arguments: { region: "eu" } });
    show(result.content[0].text);
  },
};
