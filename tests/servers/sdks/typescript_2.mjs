import { createServer } from 'node:http';

import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';

function make() {
  const server = new McpServer({ name: 'typescript-2', version: '1.0.0' }, { capabilities: { logging: {} } });
  const shout = { description: 'In capitals; says so in the log', inputSchema: z.object({ text: z.string() }) };
  server.registerTool('shout', shout, async ({ text }, context) => {
    await context.mcpReq.log('warning', `shouting ${text}`);
    return { content: [{ type: 'text', text: text.toUpperCase() }] };
  });
  server.registerTool('add', { description: 'A sum', inputSchema: z.object({ a: z.number(), b: z.number() }) }, async ({ a, b }) => ({
    content: [{ type: 'text', text: String(a + b) }],
  }));
  return server;
}

const port = Number(process.argv[2]);
if (port) {
  createServer(toNodeHandler(createMcpHandler(make))).listen(port, '127.0.0.1');
} else {
  serveStdio(make);
}
