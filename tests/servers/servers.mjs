// The servers, each as a user would start it; what they say themselves, without a host between.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const modules = fileURLToPath(new URL('node_modules', import.meta.url));
const timeoutMs = 300_000;

// `calls`: [tool, arguments, what the answer says]; the first one is repeated while servers are killed.
export const serversOf = (folder) => ({
  everything: {
    script: '@modelcontextprotocol/server-everything/dist/index.js',
    calls: [['echo', { message: 'hello' }, 'hello'], ['get-sum', { a: 2, b: 3 }, '5']],
    prompt: 'simple-prompt',
  },
  filesystem: {
    script: '@modelcontextprotocol/server-filesystem/dist/index.js',
    args: [folder],
    calls: [['read_text_file', { path: path.join(folder, 'note.txt') }, 'a note']],
  },
  memory: {
    script: '@modelcontextprotocol/server-memory/dist/index.js',
    env: { MEMORY_FILE_PATH: path.join(folder, 'memory.jsonl') },
    calls: [
      ['read_graph', {}, 'entities'],
      ['create_entities', { entities: [{ name: 'Ada', entityType: 'person', observations: ['counts'] }] }, '['],
      ['search_nodes', { query: 'Ada' }, 'counts'],
    ],
  },
  context7: {
    script: '@upstash/context7-mcp/dist/index.js',
    isModern: true,
    calls: [['resolve-library-id', {}, 'libraryName']], // it says what is missing, and asks no other server
  },
});

export const commandOf = ({ script, args = [] }) => [process.execPath, path.join(modules, script), ...args];

export function within(what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took more than ${timeoutMs} ms`)), timeoutMs);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

const modernMeta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} },
};

// Each of the three lists; a list that the server does not have is empty.
export async function listsOf(server) {
  const [program, ...args] = commandOf(server);
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore'], env: { ...process.env, ...server.env } });
  const waiting = new Map();
  let id = 0;
  createInterface(child.stdout).on('line', (line) => {
    const message = JSON.parse(line);
    if (!message.method) waiting.get(message.id)?.(message.result ?? {});
  });
  const say = (message) => child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  const ask = (method, params) => {
    const answer = new Promise((resolve) => waiting.set(++id, resolve));
    say({ id, method, params });
    return within(method, answer);
  };
  if (!server.isModern) {
    const capabilities = modernMeta['io.modelcontextprotocol/clientCapabilities'];
    await ask('initialize', { protocolVersion: '2025-11-25', capabilities, clientInfo: { name: 'test', version: '1' } });
    say({ method: 'notifications/initialized' });
  }
  const lists = {};
  for (const kind of ['tools', 'resources', 'prompts']) {
    const result = await ask(`${kind}/list`, server.isModern ? { _meta: modernMeta } : {});
    lists[kind] = result[kind] ?? [];
  }
  child.kill('SIGKILL');
  return lists;
}
