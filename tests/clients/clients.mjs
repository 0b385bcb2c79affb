// The clients, each behind the same small face: open(target, folder) connects and gives
//   { version, tools(), call(name, arguments), close() }
// and, of these, what the client can do:
//   resources(), read(uri), prompts(), prompt(name, arguments), complete(prompt, argument, value),
//   elicit(tool): calls it and answers what it asks; watch(uri): { heard, a set of methods, close() },
//   task(name, arguments): { wasTask, result }; hasTasks: whether it has to be one.
// What the server refuses throws. A target is { command, args } for stdio or { url } for HTTP.
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { Client as ClientV2, StreamableHTTPClientTransport as HttpV2 } from '@modelcontextprotocol/client';
import { StdioClientTransport as StdioV2 } from '@modelcontextprotocol/client/stdio';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as StdioV1 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import * as typesV1 from '@modelcontextprotocol/sdk/types.js';

import { openTasks } from './tasks.mjs';

const legacy = '2025-11-25';
const modern = '2026-07-28';
const self = { name: 'collet-client-tests', version: '1.0.0' };
const inspectorCli = fileURLToPath(
  new URL('node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js', import.meta.url),
);

// Every text of a form is "Ada", and everything else is denied.
function answer({ params }) {
  const fields = Object.entries(params.requestedSchema.properties);
  const content = fields.map(([name, { type }]) => [name, type === 'string' ? 'Ada' : false]);
  return { action: 'accept', content: Object.fromEntries(content) };
}

function session(client, version) {
  const call = (name, args) => client.callTool({ name, arguments: args });
  return {
    version,
    tools: async () => (await client.listTools()).tools,
    call,
    resources: async () => (await client.listResources()).resources,
    read: (uri) => client.readResource({ uri }),
    prompts: async () => (await client.listPrompts()).prompts,
    prompt: (name, args) => client.getPrompt({ name, arguments: args }),
    complete: (prompt, name, value) =>
      client.complete({ ref: { type: 'ref/prompt', name: prompt }, argument: { name, value } }),
    elicit: (tool) => call(tool, {}),
    close: () => client.close(),
  };
}

const changed = ['notifications/resources/updated', 'notifications/tools/list_changed'];

// A legacy session hears of lists by itself, and of the resources that it subscribes to.
async function subscribe(client, uri, heard) {
  await client.subscribeResource({ uri });
  return { heard, close: () => client.unsubscribeResource({ uri }) };
}

async function openSdk(target) {
  const client = new ClientV1(self, { capabilities: { elicitation: {} } });
  client.setRequestHandler(typesV1.ElicitRequestSchema, answer);
  const heard = new Set();
  for (const schema of [typesV1.ResourceUpdatedNotificationSchema, typesV1.ToolListChangedNotificationSchema]) {
    client.setNotificationHandler(schema, ({ method }) => void heard.add(method));
  }
  const transport = target.url ? new HttpV1(new URL(target.url)) : new StdioV1(target);
  let version;
  const told = transport.setProtocolVersion?.bind(transport);
  transport.setProtocolVersion = (negotiated) => {
    version = negotiated;
    told?.(negotiated);
  };
  await client.connect(transport);
  return { ...session(client, version), watch: (uri) => subscribe(client, uri, heard) };
}

async function listen(client, uri, heard) {
  const subscription = await client.listen({ resourceSubscriptions: [uri], toolsListChanged: true });
  return { heard, close: () => subscription.close() };
}

const openClient = (mode) => async (target) => {
  const capabilities = { elicitation: {}, extensions: { 'io.modelcontextprotocol/tasks': {} } };
  const client = new ClientV2(self, { versionNegotiation: { mode }, capabilities });
  client.setRequestHandler('elicitation/create', answer);
  const heard = new Set();
  for (const method of changed) client.setNotificationHandler(method, () => void heard.add(method));
  const transport = target.url ? new HttpV2(new URL(target.url)) : new StdioV2(target);
  await client.connect(transport);
  const version = client.getNegotiatedProtocolVersion();
  const isModern = version === modern;
  return {
    ...session(client, version),
    watch: (uri) => (isModern ? listen : subscribe)(client, uri, heard),
    hasTasks: isModern,
    task: async (name, args) => {
      const tasks = openTasks(client, transport, { version, isModern, self, capabilities, answer });
      try {
        return await tasks.task(name, args);
      } finally {
        await tasks.close();
      }
    },
  };
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
    resources: async () => (await ask('--method', 'resources/list')).resources,
    read: (uri) => ask('--method', 'resources/read', '--uri', uri),
    prompts: async () => (await ask('--method', 'prompts/list')).prompts,
    prompt: (name, args) => {
      const pairs = Object.entries(args).flatMap(([key, value]) => ['--prompt-args', `${key}=${value}`]);
      return ask('--method', 'prompts/get', '--prompt-name', name, ...pairs);
    },
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
