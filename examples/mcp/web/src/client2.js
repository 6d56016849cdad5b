// The calls with the second generation of the SDK, @modelcontextprotocol/client: revision
// 2026-07-28, without sessions, and with the fields of the call in headers.

import {
  Client,
  discoverOAuthProtectedResourceMetadata,
  extractWWWAuthenticateParams,
  StreamableHTTPClientTransport,
} from "@modelcontextprotocol/client";

// connected asks the server for its revisions first. Without that option, the SDK speaks the
// revisions of sdk 1.x.
async function connected(url, options, use) {
  const client = new Client({ name: "page", version: "1.0.0" }, { versionNegotiation: { mode: "auto" } });
  try {
    await client.connect(new StreamableHTTPClientTransport(new URL(url), options));
    await use(client);
  } finally {
    await client.close();
  }
}

// In a page, the SDK leaves out the headers Mcp-Param-*, since few servers allow them. The Go SDK
// refuses a call without them.
const eu = { headers: { "Mcp-Param-Region": "eu" } };

export const calls = {
  "the revision": ({ mcp }, show) => connected(mcp, {}, async (client) => show(client.getNegotiatedProtocolVersion())),

  "the list of tools": ({ mcp }, show) =>
    connected(mcp, {}, async (client) => {
      const { tools } = await client.listTools();
      show(tools.map((tool) => tool.name).join(", "));
    }),

  "a call with Mcp-Param-Region": ({ mcp }, show) =>
    connected(mcp, {}, async (client) => {
      const result = await client.callTool({ name: "forecast", arguments: { region: "eu" } }, eu);
      show(result.content[0].text);
    }),

  "notifications on the stream of a call": ({ mcp }, show) =>
    connected(mcp, {}, async (client) => {
      const result = await client.callTool(
        { name: "watch", arguments: { region: "eu" } },
        { onprogress: ({ message }) => show(`${message}, `) },
      );
      show(result.content[0].text);
    }),

  "401, the discovery document, a token": async ({ members, token }, show) => {
    let current;
    const authProvider = {
      token: async () => current,
      onUnauthorized: async ({ response, serverUrl }) => {
        const { resourceMetadataUrl, scope } = extractWWWAuthenticateParams(response);
        const metadata = await discoverOAuthProtectedResourceMetadata(serverUrl, { resourceMetadataUrl });
        show(`${response.status}, scope ${scope}, sign in at ${metadata.authorization_servers[0]}; `);
        // A real page sends its user there, and gets a token. This one has a token already.
        current = token;
      },
    };
    await connected(members, { authProvider }, async (client) => {
      const result = await client.callTool({ name: "forecast", arguments: { region: "eu" } }, eu);
      show(result.content[0].text);
    });
  },
};
