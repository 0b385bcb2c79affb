// node run.mjs BUILD REVISION [--scenario NAME] [--list]: see `run --help`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { scenariosOf, suite } from './requirements.mjs';
import { serve, within } from './server.mjs';
import { report, resultOf } from './verdict.mjs';

const suiteTimeoutMs = 300_000;
const config = fileURLToPath(new URL('collet.toml', import.meta.url));

function usageError(message) {
  console.error(`tests/conformance/run: ${message}`);
  process.exit(2);
}

function parseCommandLine() {
  const options = { scenario: { type: 'string' }, list: { type: 'boolean' } };
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    if (positionals.length !== 2) usageError('one revision, please; see --help');
    return { build: positionals[0], revision: positionals[1], ...values };
  } catch (error) {
    usageError(error.message);
  }
}

// Has the suite call the server at `url`; what it finds is in `folder` then. It ends badly for every failure that it
// finds, which says no more than that does.
async function runSuite(url, revision, scenario, folder, log) {
  const what = scenario ? ['--scenario', scenario, '--spec-version', revision, '--force'] : ['--requirements', revision];
  const program = path.join(suite, 'dist/index.js');
  const child = spawn(process.execPath, [program, 'server', '--url', url, ...what, '--output-dir', folder], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  try {
    await within(suiteTimeoutMs, 'the suite', once(child, 'close'));
  } finally {
    child.kill('SIGKILL');
  }
}

const { build, revision, scenario, list } = parseCommandLine();
const all = scenariosOf(revision);
if (all.length === 0) usageError(`the suite has no requirements for ${revision}`);
if (list) {
  for (const { name, scored } of all) console.log(scored ? name : `${name} (not scored)`);
  process.exit();
}
const scenarios = scenario ? all.filter(({ name }) => name === scenario) : all;
if (scenarios.length === 0) usageError(`${revision} has no scenario ${scenario}; see --list`);

const folder = path.resolve(build, 'conformance', revision);
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const server = await serve(
  path.resolve(build, 'bin/collet'),
  config,
  createWriteStream(path.join(folder, 'server.log')),
);
await runSuite(server.url, revision, scenario, folder, createWriteStream(path.join(folder, 'suite.log')));
let { text, good } = report(scenarios.map((one) => resultOf(one, folder)));
console.log(text);
try {
  await server.stop();
} catch (error) {
  good = false;
  console.log(error.message);
}
process.exit(good ? 0 : 1);
