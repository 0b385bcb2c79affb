// node run.mjs BUILD: see `run --help`.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const timeoutMs = 60_000;
const build = process.argv[2];
const folder = mkdtempSync(path.join(tmpdir(), 'collet-servers-'));
const modules = fileURLToPath(new URL('node_modules', import.meta.url));

// Each as a user would start it, and a call with what its answer holds.
const servers = {
  everything: {
    args: ['@modelcontextprotocol/server-everything/dist/index.js'],
    era: 'legacy',
    call: ['echo', { message: 'hello' }, 'hello'],
  },
  filesystem: {
    args: ['@modelcontextprotocol/server-filesystem/dist/index.js', folder],
    era: 'legacy',
    call: ['read_text_file', { path: path.join(folder, 'note.txt') }, 'a note'],
  },
  memory: {
    args: ['@modelcontextprotocol/server-memory/dist/index.js'],
    env: { MEMORY_FILE_PATH: path.join(folder, 'memory.jsonl') },
    era: 'legacy',
    call: ['create_entities', { entities: [{ name: 'Ada', entityType: 'person', observations: ['counts'] }] }, 'entities'],
  },
  context7: { args: ['@upstash/context7-mcp/dist/index.js'], era: 'modern' },
};

const within = (what, promise) => {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took more than ${timeoutMs} ms`)), timeoutMs);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
};

const modernMeta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};

const command = ({ args: [script, ...rest] }) => [process.execPath, path.join(modules, script), ...rest];

// What a server says of its tools itself.
async function toolsOf(server) {
  const [program, ...args] = command(server);
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore'], env: { ...process.env, ...server.env } });
  const waiting = new Map();
  createInterface(child.stdout).on('line', (line) => {
    const message = JSON.parse(line);
    if (!message.method) waiting.get(message.id)?.(message.result);
  });
  const ask = (id, method, params) => {
    const answer = new Promise((resolve) => waiting.set(id, resolve));
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
    return within(method, answer);
  };
  if (server.era === 'legacy') {
    const clientInfo = { name: 'test', version: '1' };
    await ask(1, 'initialize', { protocolVersion: '2025-11-25', capabilities: { elicitation: {}, sampling: {}, roots: {} }, clientInfo });
    child.stdin.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\n');
  }
  const { tools } = await ask(2, 'tools/list', server.era === 'modern' ? { _meta: modernMeta } : {});
  child.kill('SIGKILL');
  return tools;
}

// The host with all of them.
async function serve() {
  const remotes = Object.entries(servers).map(([name, server]) => {
    const [program, ...args] = command(server);
    const env = Object.entries(server.env ?? {}).map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
    return `[remote.${name}]\ncommand = ${JSON.stringify(program)}\nargs = ${JSON.stringify(args)}\nenv = { ${env.join(', ')} }\n`;
  });
  const plugins = ['echo', 'math'].map((id) => `[plugin.${id}]\nlibrary = ${JSON.stringify(path.join(build, 'plugins', `${id}.so`))}\n`);
  const config = path.join(folder, 'collet.toml');
  writeFileSync(config, [...plugins, ...remotes].join('\n'));
  const child = spawn(path.join(build, 'bin/collet'), ['serve', '-c', config, '--listen', 'http://127.0.0.1:0'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  process.on('exit', () => child.kill('SIGKILL'));
  const ready = new Set();
  let url;
  await within('importing all servers', new Promise((resolve) => {
    createInterface(child.stderr).on('line', (line) => {
      url ??= line.match(/listening on (\S+)/)?.[1];
      const name = line.match(/remote (\w+): ready/)?.[1];
      if (name) ready.add(name);
      if (ready.size === Object.keys(servers).length) resolve();
    });
  }));
  return { child, url };
}

async function post(url, method, params, headers) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  const text = await response.text();
  const data = text.startsWith('{') ? text : text.split('\n').findLast((line) => line.startsWith('data: {'))?.slice(6);
  return { session: response.headers.get('mcp-session-id'), text, message: data ? JSON.parse(data) : undefined };
}

function modernClient(url) {
  return (method, params = {}) => {
    const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method };
    if (params.name) headers['mcp-name'] = params.name;
    return post(url, method, { ...params, _meta: modernMeta }, headers);
  };
}

async function legacyClient(url) {
  const clientInfo = { name: 'test', version: '1' };
  const { session } = await post(url, 'initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo });
  return (method, params = {}) => post(url, method, params, { 'mcp-session-id': session });
}

async function checkTools(name, own, served) {
  const { message, text } = served;
  const names = new Set(message.result.tools.map((tool) => tool.name));
  for (const tool of own) {
    assert.ok(names.has(`${name}__${tool.name}`), `${name}: ${tool.name} is not offered`);
    assert.ok(text.includes(JSON.stringify(tool.inputSchema)), `${name}: the schema of ${tool.name} is not byte for byte`);
  }
}

async function callAll(ask) {
  for (const [name, { call }] of Object.entries(servers)) {
    if (!call) continue;
    const [tool, args, says] = call;
    const { message } = await ask('tools/call', { name: `${name}__${tool}`, arguments: args });
    assert.ok(JSON.stringify(message.result).includes(says), `${name}: ${JSON.stringify(message)}`);
  }
  const { message } = await ask('tools/call', { name: 'add', arguments: { a: 1, b: 2 } });
  assert.equal(message.result.content[0].text, '3');
}

function childrenOf(pid) {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
}

// Each child is killed while calls are under way: each call has one answer, and in the end all works again.
async function killEachUnderLoad(host, ask) {
  let calls = 0;
  let answers = 0;
  let stop = false;
  const load = Array.from({ length: 16 }, async (_, index) => {
    const name = Object.keys(servers).filter((each) => servers[each].call)[index % 3];
    const [tool, args] = servers[name].call;
    while (!stop) {
      ++calls;
      const { message } = await within('a call', ask('tools/call', { name: `${name}__${tool}`, arguments: args }));
      if (message.result || message.error) ++answers;
      if (message.error) await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });
  for (const pid of childrenOf(host.pid)) {
    process.kill(pid, 'SIGKILL');
    const before = answers;
    while (answers < before + 20) await new Promise((resolve) => setTimeout(resolve, 10));
  }
  stop = true;
  await Promise.all(load);
  assert.equal(answers, calls);
  const again = async () => {
    try {
      await callAll(ask);
      return true;
    } catch {
      return false;
    }
  };
  await within('coming back', (async () => {
    while (!(await again())) await new Promise((resolve) => setTimeout(resolve, 50));
  })());
  return calls;
}

let host;
try {
  writeFileSync(path.join(folder, 'note.txt'), 'a note');
  const own = Object.fromEntries(
    await Promise.all(Object.entries(servers).map(async ([name, server]) => [name, await toolsOf(server)])),
  );
  const { child, url } = await serve();
  host = child;
  for (const [era, ask] of [['modern', modernClient(url)], ['legacy', await legacyClient(url)]]) {
    for (const name of Object.keys(servers)) {
      let served;
      do served = await ask('tools/list'); // what was read is published a moment later
      while (!served.text.includes(`"${name}__`));
      await checkTools(name, own[name], served);
    }
    await callAll(ask);
    console.log(`${era}: ${Object.entries(own).map(([name, tools]) => `${name} ${tools.length} tools`).join(', ')}: good`);
  }
  console.log(`killed under load: ${await killEachUnderLoad(child, modernClient(url))} calls, each answered once`);
  child.kill('SIGTERM');
  const [code] = await within('ending', once(child, 'exit'));
  assert.equal(code, 0);
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  host?.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}
