// node run.mjs BUILD: see `run --help`.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

import { clients } from '../clients/clients.mjs';
import { commandOf, listsOf, serversOf, within } from './servers.mjs';

const build = path.resolve(process.argv[2]);
const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'collet-servers-')));
const servers = serversOf(folder);
const names = Object.keys(servers);
const native = [['add', { a: 1, b: 2 }, '3'], ['echo', { text: 'as it is' }, 'as it is']];

// The host with all of them, and two plugins.
async function serve() {
  const remotes = Object.entries(servers).map(([name, server]) => {
    const [program, ...args] = commandOf(server);
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
  const url = new Promise((resolve) => {
    createInterface(child.stderr).on('line', (line) => {
      const said = line.match(/listening on (\S+)/);
      if (said) resolve(new URL('/mcp', said[1]).href);
    });
  });
  return { child, url: await within('starting', url) };
}

const textOf = (result) => result.content.map((block) => block.text ?? '').join('\n');

async function check(session, [tool, args, says]) {
  const text = textOf(await within(tool, session.call(tool, args)));
  assert.ok(text.includes(says), `${tool}: ${JSON.stringify(says)} is not in ${JSON.stringify(text)}`);
}

const callsOf = (name) => servers[name].calls.map(([tool, args, says]) => [`${name}__${tool}`, args, says]);

// What a client sees of a server is what the server says, under its prefix. It may not have been read yet.
async function checkLists(session, name, own) {
  const lists = {};
  for (const [kind, prefix, key] of [['tools', `${name}__`, 'name'], ['resources', '', 'uri'], ['prompts', `${name}__`, 'name']]) {
    const named = own[kind].map((item) => prefix + item[key]);
    await within(`the ${kind} of ${name}`, (async () => {
      do lists[kind] = new Map((await session[kind]()).map((item) => [item[key], item]));
      while (!named.every((each) => lists[kind].has(each)));
    })());
  }
  for (const tool of own.tools) {
    const seen = lists.tools.get(`${name}__${tool.name}`);
    assert.deepEqual([seen.inputSchema, seen.description], [tool.inputSchema, tool.description], tool.name);
  }
  for (const { uri } of own.resources.slice(0, 1)) assert.equal((await session.read(uri)).contents[0].uri, uri);
  const { prompt } = servers[name];
  if (prompt) assert.ok((await session.prompt(`${name}__${prompt}`, {})).messages.length > 0, prompt);
}

// A schema is passed on byte for byte, which a client's own view of it does not show.
async function checkBytes(url, own) {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/list',
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/list',
      params: { _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} } },
    }),
  });
  const text = await response.text();
  for (const { tools } of Object.values(own)) {
    for (const { name, inputSchema } of tools) assert.ok(text.includes(JSON.stringify(inputSchema)), `the schema of ${name}`);
  }
}

// What the kernel says there; nothing of a thread or process that has just ended.
function proc(file) {
  try {
    return readFileSync(`/proc/${file}`, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(error.code)) return '';
    throw error;
  }
}

function childrenOf(pid) {
  const pids = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    proc(`${pid}/task/${task}/children`).split(' ').filter(Boolean).map(Number),
  );
  return new Map(pids.map((each) => {
    const command = proc(`${each}/cmdline`);
    return [names.find((name) => command.includes(servers[name].script)), each];
  }));
}

// Calls of one tool, one after the other until `stop` is set. An answer is what was asked for, or the host's word that
// the server is gone.
async function repeat(session, call, counts, state) {
  while (!state.stop) {
    ++counts.calls;
    try {
      await check(session, call);
      ++counts.good;
    } catch (error) {
      if (!String(error.message).includes(`remote ${counts.name}: `)) throw error;
      ++counts.lost;
      await sleep(10);
    }
  }
}

// Each child is killed while clients of both eras call everything: each call is answered, those of the others as ever, and
// the one that was killed is back after a moment.
async function killEachUnderLoad(host, sessions) {
  const state = { stop: false };
  const counts = new Map([...names, 'native'].map((name) => [name, { name, calls: 0, good: 0, lost: 0 }]));
  const load = Promise.all(sessions.flatMap((session) =>
    [...names.map((name) => [name, callsOf(name)[0]]), ['native', native[0]], ['native', native[1]]].flatMap(([name, call]) =>
      [1, 2].map(() => repeat(session, call, counts.get(name), state)),
    ),
  )).finally(() => (state.stop = true));
  const progress = (what, enough) => within(what, (async () => {
    while (!enough()) {
      if (state.stop) await load; // it says what went wrong
      await sleep(5);
    }
  })());
  const killAll = async () => {
    const children = childrenOf(host.pid);
    assert.deepEqual(new Set(children.keys()), new Set(names), 'the children');
    for (const [name, pid] of children) {
      const before = structuredClone(counts);
      process.kill(pid, 'SIGKILL');
      await progress(`${name} coming back`, () =>
        childrenOf(host.pid).get(name) !== pid && [...counts].every(([each, { good }]) => good > before.get(each).good + 10),
      );
      for (const [each, { lost }] of counts) {
        if (each !== name) assert.equal(lost, before.get(each).lost, `a call of ${each} was lost when ${name} was killed`);
      }
    }
  };
  try {
    await progress('the first calls', () => [...counts.values()].every(({ good }) => good > 10));
    await killAll();
  } finally {
    state.stop = true;
  }
  await within('the last answers', load);
  for (const { name, calls, good, lost } of counts.values()) assert.equal(good + lost, calls, name);
  const total = (key) => [...counts.values()].reduce((sum, each) => sum + each[key], 0);
  return `${total('calls')} calls, each answered, ${total('lost')} of them with the word that the server is gone`;
}

let host;
try {
  writeFileSync(path.join(folder, 'note.txt'), 'a note');
  const own = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await listsOf(servers[name])])));
  const { child, url } = await serve();
  host = child;
  const sessions = [];
  for (const client of clients.filter(({ name }) => name !== 'inspector')) {
    const session = await client.open({ url }, folder);
    sessions.push(session);
    assert.equal(session.version, client.version);
    for (const name of names) await checkLists(session, name, own[name]);
    for (const call of [...names.flatMap(callsOf), ...native]) await check(session, call);
    console.log(`${client.name} ${client.era}: ${names.map((name) => `${name} ${own[name].tools.length} tools`).join(', ')}: good`);
  }
  await checkBytes(url, own);
  console.log(`killed under load: ${await killEachUnderLoad(child, sessions)}`);
  for (const session of sessions) await session.close();
  child.kill('SIGTERM');
  const [code] = await within('ending', once(child, 'exit'));
  assert.equal(code, 0);
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  host?.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
  process.exit();
}
