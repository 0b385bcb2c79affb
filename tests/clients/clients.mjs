// The clients, each behind the same small face: open(target, folder) connects and gives
//   { version, tools(), call(name, arguments), close() }.
// call() throws if the server refuses the request. A target is { command, args } for stdio or { url } for HTTP.
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { Client as ClientV2, StreamableHTTPClientTransport as HttpV2 } from '@modelcontextprotocol/client';
import { StdioClientTransport as StdioV2 } from '@modelcontextprotocol/client/stdio';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as StdioV1 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

const legacy = '2025-11-25';
const modern = '2026-07-28';
const self = { name: 'collet-client-tests', version: '1.0.0' };
const inspectorCli = fileURLToPath(
  new URL('node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js', import.meta.url),
);

function session(client, version) {
  return {
    version,
    tools: async () => (await client.listTools()).tools,
    call: (name, args) => client.callTool({ name, arguments: args }),
    close: () => client.close(),
  };
}

async function openSdk(target) {
  const client = new ClientV1(self);
  const transport = target.url ? new HttpV1(new URL(target.url)) : new StdioV1(target);
  let version;
  const told = transport.setProtocolVersion?.bind(transport);
  transport.setProtocolVersion = (negotiated) => {
    version = negotiated;
    told?.(negotiated);
  };
  await client.connect(transport);
  return session(client, version);
}

const openClient = (mode) => async (target) => {
  const client = new ClientV2(self, { versionNegotiation: { mode } });
  await client.connect(target.url ? new HttpV2(new URL(target.url)) : new StdioV2(target));
  return session(client, client.getNegotiatedProtocolVersion());
};

// The Inspector makes one request a process. Its home is the folder, so that it neither finds nor leaves anything.
const openInspector = (era) => async (target, folder) => {
  const server = target.url ? { type: 'streamable-http', ...target } : { type: 'stdio', ...target };
  const config = path.join(folder, 'inspector.json');
  writeFileSync(config, JSON.stringify({ mcpServers: { collet: { ...server, protocolEra: era } } }));
  const ask = (...args) =>
    new Promise((resolve, reject) => {
      const common = ['--cli', '--config', config, '--server', 'collet', '--format', 'json', '--quiet'];
      const options = { env: { ...process.env, HOME: folder } };
      execFile(process.execPath, [inspectorCli, ...common, ...args], options, (failed, stdout, stderr) => {
        if (stdout) resolve(JSON.parse(stdout).result);
        else reject(new Error(`exit ${failed?.code}: ${stderr.trim()}`));
      });
    });
  return {
    version: (await ask('--method', 'initialize')).protocolVersion,
    tools: async () => (await ask('--method', 'tools/list')).tools,
    call: (name, args) =>
      ask('--method', 'tools/call', '--tool-name', name, '--tool-args-json', JSON.stringify(args)),
    close: async () => {},
  };
};

export const clients = [
  { name: 'sdk 1.x', era: 'legacy', version: legacy, open: openSdk },
  { name: 'client 2.x', era: 'legacy', version: legacy, open: openClient('legacy') },
  { name: 'client 2.x', era: 'auto', version: modern, open: openClient('auto') },
  { name: 'client 2.x', era: modern, version: modern, open: openClient({ pin: modern }) },
  { name: 'inspector', era: 'legacy', version: legacy, open: openInspector('legacy') },
  { name: 'inspector', era: 'auto', version: modern, open: openInspector('auto') },
  { name: 'inspector', era: 'modern', version: modern, open: openInspector('modern') },
];
