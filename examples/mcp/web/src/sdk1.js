// The calls with the first generation of the SDK, @modelcontextprotocol/sdk: revisions with
// sessions, up to 2025-11-25.

import { discoverOAuthProtectedResourceMetadata, extractWWWAuthenticateParams } from "@modelcontextprotocol/sdk/client/auth.js";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { LoggingMessageNotificationSchema } from "@modelcontextprotocol/sdk/types.js";

// inSession opens a session of its own for each call, so that no call depends on another one.
async function inSession(url, options, use) {
  const client = new Client({ name: "page", version: "1.0.0" });
  const transport = new StreamableHTTPClientTransport(new URL(url), options);
  try {
    await client.connect(transport);
    await use(client, transport);
  } finally {
    await client.close(); // ends the stream of the session: browsers open few connections to a server
  }
}

export const calls = {
  "a session": ({ mcp }, show) =>
    inSession(mcp, {}, async (_, transport) => show(`${transport.protocolVersion}, session ${transport.sessionId}`)),

  "the list of tools": ({ mcp }, show) =>
    inSession(mcp, {}, async (client) => {
      const { tools } = await client.listTools();
      show(tools.map((tool) => tool.name).join(", "));
    }),

  "a call": ({ mcp }, show) =>
    inSession(mcp, {}, async (client) => {
      const result = await client.callTool({ name: "forecast", arguments: { region: "eu" } });
      show(result.content[0].text);
    }),

  "a notification on the stream of the session": ({ mcp }, show) =>
    inSession(mcp, {}, async (client) => {
      const warning = new Promise((done) => {
        client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => done(params.data));
      });
      await client.setLoggingLevel("info");
      await client.callTool({ name: "warn", arguments: { region: "eu" } });
      show(await warning);
    }),

  "a stream that is cut and resumed": async ({ mcp }, show) => {
    let resumed = 0;
    const counting = (url, init) => {
      if (new Headers(init.headers).has("last-event-id")) resumed++;
      return fetch(url, init);
    };
    await inSession(mcp, { fetch: counting }, async (client) => {
      const result = await client.callTool({ name: "watch", arguments: { region: "eu" } }, undefined, {
        onprogress: ({ message }) => show(`${message}, `),
      });
      show(`${result.content[0].text}, resumed: ${resumed}`);
    });
  },

  "the end of a session": ({ mcp }, show) =>
    inSession(mcp, {}, async (client, transport) => {
      await client.listTools();
      const id = transport.sessionId;
      await transport.terminateSession();
      const answer = await fetch(mcp, {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "application/json, text/event-stream", "Mcp-Session-Id": id },
        body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" }),
      });
      show(`afterwards ${answer.status}, ${(await answer.text()).trim()}`);
    }),

  "401, the discovery document, a token": async ({ members, token }, show) => {
    let refusal;
    const keeping = async (url, init) => (refusal = await fetch(url, init));
    await inSession(members, { fetch: keeping }, () => {}).catch((e) => {
      if (!refusal) throw e;
    });
    const { resourceMetadataUrl, scope } = extractWWWAuthenticateParams(refusal);
    const metadata = await discoverOAuthProtectedResourceMetadata(members, { resourceMetadataUrl });
    show(`${refusal.status}, scope ${scope}, sign in at ${metadata.authorization_servers[0]}; `);
    // A real page sends its user there, and gets a token. This one has a token already.
    await inSession(members, { requestInit: { headers: { Authorization: `Bearer ${token}` } } }, async (client) => {
      const result = await client.callTool({ name: "forecast", arguments: { region: "eu" } });
      show(result.content[0].text);
    });
  },
};
