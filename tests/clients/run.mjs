// node run.mjs BUILD: every client against the server of the folder BUILD, with its plugins.
// What the server says over HTTP and stdio is held against the schemas of the protocol. Prints a line for each client, transport and era; exits with 1 if one of them failed.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { check as checkMessages, record } from '../support/recorder.mjs';
import { calls, makeFixture } from './calls.mjs';
import { clients } from './clients.mjs';
import { exerciseFeatures } from './features.mjs';

const startTimeoutMs = 10_000;
const sessionTimeoutMs = 60_000;

function within(ms, what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took more than ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// Starts the server on a free port and waits until it accepts.
async function serve(collet, config) {
  const args = ['serve', '--config', config, '--listen', 'http://127.0.0.1:0'];
  const server = spawn(collet, args, { stdio: ['ignore', 'inherit', 'pipe'] });
  process.on('exit', () => server.kill());
  const url = new Promise((resolve, reject) => {
    server.on('error', reject);
    server.on('exit', (code, signal) => reject(new Error(`${collet} ended with ${code ?? signal} before it listened`)));
    createInterface(server.stderr).on('line', (line) => {
      const said = line.match(/\blistening on (http:\S+)/);
      if (said) resolve(new URL('/mcp', said[1]).href);
      else console.error(line);
    });
  });
  return { server, url: await within(startTimeoutMs, 'starting the server', url) };
}

async function check({ tool, arguments: args, says, is_error = false, refused }, session) {
  const name = `${tool} ${JSON.stringify(args)}`;
  if (refused) {
    await assert.rejects(session.call(tool, args), `${name} was not refused`);
    return;
  }
  const result = await session.call(tool, args);
  assert.equal(result.isError ?? false, is_error, `${name}: isError of ${JSON.stringify(result)}`);
  const text = result.content.map((block) => block.text ?? '').join('\n');
  assert.ok(text.includes(says), `${name}: ${JSON.stringify(says)} is not in ${JSON.stringify(text)}`);
}

async function exercise(client, target, folder) {
  const session = await client.open(target, folder);
  try {
    assert.equal(session.version, client.version, 'negotiated protocol version');
    const tools = await session.tools();
    for (const { tool, refused } of calls) {
      if (refused) continue;
      assert.equal(tools.find(({ name }) => name === tool)?.inputSchema.type, 'object', `${tool} in tools/list`);
    }
    await Promise.all(calls.map((call) => check(call, session)));
    await exerciseFeatures(session);
  } finally {
    await session.close();
  }
}

const build = path.resolve(process.argv[2]);
const collet = path.join(build, 'bin/collet');
const folder = mkdtempSync(path.join(tmpdir(), 'collet-clients-'));
process.on('exit', () => rmSync(folder, { recursive: true }));
const config = makeFixture(folder, build);
const { server, url } = await serve(collet, config);
const recorder = await record(url);
const tee = fileURLToPath(new URL('../support/record_stdio.mjs', import.meta.url));
const transcripts = path.join(folder, 'transcripts');
mkdirSync(transcripts);
const targets = {
  stdio: { command: process.execPath, args: [tee, transcripts, collet, 'stdio', '--config', config] },
  http: { url: recorder.url },
};

let failures = 0;
for (const client of clients) {
  for (const [transport, target] of Object.entries(targets)) {
    const what = `${client.name.padEnd(11)} ${transport.padEnd(6)} ${client.era.padEnd(11)}`;
    try {
      await within(sessionTimeoutMs, 'the session', exercise(client, target, folder));
      console.log(`${what} ok`);
    } catch (error) {
      ++failures;
      console.log(`${what} FAILED: ${error.message}`);
    }
  }
}

server.removeAllListeners('exit');
server.kill('SIGTERM');
const [code] = await within(startTimeoutMs, 'stopping the server', once(server, 'exit'));
if (code !== 0) {
  ++failures;
  console.log(`the server ended with ${code} after SIGTERM`);
}

const wireCheck = path.join(build, 'bin/wire_check');
const conversations = readdirSync(transcripts).map((file) => readFileSync(path.join(transcripts, file)));
const found = [recorder.check(wireCheck), ...conversations.map((lines) => checkMessages(wireCheck, lines))];
console.log(`messages    http: ${found[0].text}`);
for (const { good, text } of found.slice(1)) if (!good) console.log(`messages    stdio: ${text}`);
console.log(`messages    stdio: ${conversations.length} conversations`);
failures += found.filter(({ good }) => !good).length;
process.exit(failures ? 1 : 0);
