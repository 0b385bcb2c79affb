import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';

import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { z } from 'zod';

function make() {
  const server = new McpServer({ name: 'typescript-1', version: '1.0.0' }, { capabilities: { logging: {} } });
  server.registerTool('shout', { description: 'In capitals; says so in the log', inputSchema: { text: z.string() } }, async ({ text }) => {
    await server.sendLoggingMessage({ level: 'warning', data: `shouting ${text}` });
    return { content: [{ type: 'text', text: text.toUpperCase() }] };
  });
  server.registerTool('add', { description: 'A sum', inputSchema: { a: z.number(), b: z.number() } }, async ({ a, b }) => ({
    content: [{ type: 'text', text: String(a + b) }],
  }));
  return server;
}

const port = Number(process.argv[2]);
if (port) {
  const sessions = new Map();
  createServer(async (request, response) => {
    const id = request.headers['mcp-session-id'];
    let transport = sessions.get(id);
    if (!transport) {
      if (id) return response.writeHead(404).end(JSON.stringify({ jsonrpc: '2.0', id: null, error: { code: -32001, message: 'Session not found' } }));
      transport = new StreamableHTTPServerTransport({
        sessionIdGenerator: randomUUID,
        onsessioninitialized: (made) => sessions.set(made, transport),
      });
      await make().connect(transport);
    }
    await transport.handleRequest(request, response);
  }).listen(port, '127.0.0.1');
} else {
  await make().connect(new StdioServerTransport());
}
