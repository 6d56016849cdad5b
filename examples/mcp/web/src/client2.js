// The calls with the second generation of the SDK, @modelcontextprotocol/client: revision
// 2026-07-28, without sessions, and with the fields of the call in headers.

import {
  Client,
  discoverOAuthProtectedResourceMetadata,
  extractWWWAuthenticateParams,
  StreamableHTTPClientTransport,
} from "@modelcontextprotocol/client";

// connect asks the server for its revisions. The default of the SDK is the revisions of sdk 1.x.
async function connect(url, options) {
  const client = new Client({ name: "page", version: "1.0.0" }, { versionNegotiation: { mode: "auto" } });
  await client.connect(new StreamableHTTPClientTransport(new URL(url), options));
  return client;
}

// In a page, the SDK leaves out the headers Mcp-Param-*, since few servers allow them. The Go SDK
// refuses a call without them.
const eu = { headers: { "Mcp-Param-Region": "eu" } };

export const calls = {
  "the revision": async ({ mcp }, show) => {
    const client = await connect(mcp);
    show(client.getNegotiatedProtocolVersion());
  },
  "the list of tools": async ({ mcp }, show) => {
    const client = await connect(mcp);
    const { tools } = await client.listTools();
    show(tools.map((tool) => tool.name).join(", "));
  },
  "a call with Mcp-Method and Mcp-Name": async ({ mcp }, show) => {
    const client = await connect(mcp);
    const result = await client.callTool({ name: "warn", arguments: { region: "eu" } });
    show(result.content[0].text);
  },
  "a call with Mcp-Param-Region": async ({ mcp }, show) => {
    const client = await connect(mcp);
    const result = await client.callTool({ name: "forecast", arguments: { region: "eu" } }, eu);
    show(result.content[0].text);
  },
  "notifications on the stream of a call": async ({ mcp }, show) => {
    const client = await connect(mcp);
    const result = await client.callTool(
      { name: "watch", arguments: { region: "eu" } },
      { onprogress: ({ message }) => show(`${message}, `) },
    );
    show(result.content[0].text);
  },
  "401, the discovery document, a token": async ({ members, token }, show) => {
    let current;
    const client = await connect(members, {
      authProvider: {
        token: async () => current,
        onUnauthorized: async ({ response, serverUrl }) => {
          const { resourceMetadataUrl, scope } = extractWWWAuthenticateParams(response);
          const metadata = await discoverOAuthProtectedResourceMetadata(serverUrl, { resourceMetadataUrl });
          show(`${response.status}; scope ${scope}, sign in at ${metadata.authorization_servers[0]}; `);
          // A real page sends its user there, and gets a token. This one has a token already.
          current = token;
        },
      },
    });
    const result = await client.callTool({ name: "forecast", arguments: { region: "eu" } }, eu);
    show(result.content[0].text);
  },
};
