#!/usr/bin/env node
// node client.mjs COLLET URL: the driver that the suite calls for its client leg. It has the real host import the suite's
// server as a remote, and is a client of that host: what the suite sees is the client plugin and nothing else.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

import { authOf, toToml } from './client_auth.mjs';
import { within } from './server.mjs';

// As long as the suite waits, or nearly: all drivers run side by side, on whatever else the machine does.
const startTimeoutMs = 500_000;
const callTimeoutMs = 500_000;
const [collet, url] = process.argv.slice(2);
const context = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}');
const scenario = process.env.MCP_CONFORMANCE_SCENARIO ?? '';

const kinds = [
  { list: 'tools/list', items: 'tools', said: /remote suite: (\d+) tools/ },
  { list: 'resources/list', items: 'resources', said: /remote suite: (\d+) resources/ },
  { list: 'prompts/list', items: 'prompts', said: /remote suite: (\d+) prompts/ },
];

// The host as a child, spoken to on its standard streams in the modern way.
class Host {
  constructor(config) {
    // Credentials of other runs, whose authorization servers may have had the same port, are not for this one.
    const env = { ...process.env, HOME: path.dirname(config), XDG_STATE_HOME: path.dirname(config) };
    this.child = spawn(collet, ['stdio', '--config', config], { stdio: ['pipe', 'pipe', 'pipe'], env });
    this.ended = once(this.child, 'exit');
    this.log = [];
    this.waiting = new Map();
    this.lastId = 0;
    createInterface(this.child.stderr).on('line', (line) => {
      console.error(line);
      this.log.push(line);
    });
    createInterface(this.child.stdout).on('line', (line) => {
      const message = JSON.parse(line);
      this.waiting.get(message.id)?.(message);
    });
  }

  async ask(method, params = {}) {
    const id = ++this.lastId;
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'conformance driver', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} },
    };
    const answer = new Promise((resolve) => this.waiting.set(id, resolve));
    this.child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params: { ...params, _meta } })}\n`);
    return within(callTimeoutMs, method, answer);
  }

  // Until a line of the log matches; the match.
  async logged(pattern) {
    const found = () => this.log.map((line) => line.match(pattern)).find(Boolean);
    while (!found()) await Promise.race([once(this.child.stderr, 'data'), this.ended.then(() => Promise.reject(new Error('the host has ended')))]);
    return found();
  }

  // The items of a list, once as many are there as the plugin has read, but for those that the host has refused.
  async list({ list, items }, count) {
    for (;;) {
      const { result } = await this.ask(list);
      const refused = this.log.filter((line) => /warning client: \S+ is left out/.test(line)).length;
      if (result[items].length + refused >= count) return result[items];
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async end() {
    this.child.stdin.end();
    const [code] = await this.ended;
    if (code !== 0) throw new Error(`the host ended with ${code}`);
  }
}

function defaultOf(schema) {
  if ('default' in schema) return schema.default;
  if ('const' in schema) return schema.const;
  if (schema.enum) return schema.enum[0];
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  return { string: 'x', number: 1, integer: 1, boolean: true, array: [], null: null }[type] ?? instanceOf(schema);
}

// Arguments that fit: of each property that is required.
function instanceOf({ properties = {}, required = [] }) {
  return Object.fromEntries(required.map((name) => [name, defaultOf(properties[name] ?? {})]));
}

// A person who says yes to everything, with the defaults that the form has.
function answerTo({ method, params = {} }) {
  if (method === 'roots/list') return { roots: [] };
  if (method === 'sampling/createMessage') {
    return { role: 'assistant', content: { type: 'text', text: 'yes' }, model: 'none', stopReason: 'endTurn' };
  }
  const properties = Object.entries(params.requestedSchema?.properties ?? {});
  return { action: 'accept', content: Object.fromEntries(properties.map(([name, schema]) => [name, defaultOf(schema)])) };
}

async function complete(host, method, params) {
  let { result, error } = await host.ask(method, params);
  while (result?.resultType === 'input_required') {
    const inputResponses = Object.fromEntries(
      Object.entries(result.inputRequests ?? {}).map(([key, request]) => [key, answerTo(request)]),
    );
    ({ result, error } = await host.ask(method, { ...params, inputResponses, requestState: result.requestState }));
  }
  if (error) console.error(`${method} ${params.name ?? params.uri}: ${error.message}`);
  return result;
}

async function useTools(host, tools) {
  const planned = context.toolCalls;
  const names = new Set(tools.map(({ name }) => name));
  if (planned) {
    for (const call of planned.filter(({ name }) => names.has(name))) await complete(host, 'tools/call', call);
    return;
  }
  const echo = tools.find(({ name }) => name === 'json_schema_echo');
  for (const { name, inputSchema } of tools) {
    const schema = tools.find((other) => other !== echo)?.inputSchema;
    await complete(host, 'tools/call', { name, arguments: name === echo?.name ? { schema } : instanceOf(inputSchema) });
  }
}

async function useAll(host) {
  const [, said] = await within(startTimeoutMs, 'connecting', host.logged(/remote suite: (ready|down: .*)/));
  if (!said.startsWith('ready')) throw new Error(said);
  for (const kind of kinds) {
    const said = host.log.map((line) => line.match(kind.said)).find(Boolean);
    if (!said || said[1] === '0') continue;
    const items = await host.list(kind, Number(said[1]));
    if (kind.items === 'tools') await useTools(host, items);
    if (kind.items === 'resources') for (const { uri } of items) await complete(host, 'resources/read', { uri });
    if (kind.items === 'prompts') {
      for (const { name, arguments: wanted = [] } of items) {
        const given = Object.fromEntries(wanted.map((each) => [each.name, 'x']));
        await complete(host, 'prompts/get', { name, arguments: given });
      }
    }
  }
}

const folder = mkdtempSync(path.join(tmpdir(), 'collet-conformance-'));
try {
  const config = path.join(folder, 'collet.toml');
  const auth = scenario.startsWith('auth/') ? `auth = ${toToml(authOf(scenario, context))}\n` : '';
  writeFileSync(config, `[remote.suite]\nurl = ${JSON.stringify(url)}\nprefix = ""\n${auth}`);
  const host = new Host(config);
  process.on('exit', () => host.child.kill('SIGKILL'));
  await useAll(host);
  await host.end();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
