// node run.mjs BUILD REVISION [--scenario NAME] [--list] [--gap NAME]… [--check-messages]: see `run --help`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { record } from '../support/recorder.mjs';
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
  const options = {
    scenario: { type: 'string' },
    list: { type: 'boolean' },
    gap: { type: 'string', multiple: true },
    'check-messages': { type: 'boolean' },
  };
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    if (positionals.length !== 2) usageError('one revision, please; see --help');
    return { build: positionals[0], revision: positionals[1], ...values };
  } catch (error) {
    usageError(error.message);
  }
}

// Has the suite call the server at `url`; what it finds and says is in `folder` then. How it ends tells nothing that is
// not to be found there.
async function runSuite(url, revision, scenario, folder) {
  const what = scenario ? ['--scenario', scenario, '--spec-version', revision, '--force'] : ['--requirements', revision];
  const program = path.join(suite, 'dist/index.js');
  const log = openSync(path.join(folder, 'suite.log'), 'w');
  const child = spawn(process.execPath, [program, 'server', '--url', url, ...what, '--output-dir', folder], {
    stdio: ['ignore', log, log],
  });
  try {
    await within(suiteTimeoutMs, 'the suite', once(child, 'exit'));
  } finally {
    child.kill('SIGKILL');
  }
}

// Whether every scenario is good, and the server ended as it should.
async function judge(build, revision, scenario, scenarios, gaps, checksMessages) {
  const folder = path.resolve(build, 'conformance', revision);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const server = await serve(path.resolve(build, 'bin/collet'), config, path.join(folder, 'server.log'));
  const recorder = checksMessages ? await record(server.url) : undefined;
  await runSuite((recorder ?? server).url, revision, scenario, folder);
  const { text, good } = report(scenarios.map((one) => resultOf(one, folder)), gaps);
  console.log(text);
  await server.stop();
  if (!recorder) return good;
  const messages = recorder.check(path.resolve(build, 'bin/wire_check'));
  console.log(messages.text);
  return good && messages.good;
}

const { build, revision, scenario, list, gap, 'check-messages': checksMessages } = parseCommandLine();
const all = scenariosOf(revision);
if (all.length === 0) usageError(`the suite has no requirements for ${revision}`);
if (list) {
  for (const { name, scored } of all) console.log(scored ? name : `${name} (not scored)`);
  process.exit();
}
const scenarios = scenario ? all.filter(({ name }) => name === scenario) : all;
if (scenarios.length === 0) usageError(`${revision} has no scenario ${scenario}; see --list`);

try {
  process.exit((await judge(build, revision, scenario, scenarios, gap, checksMessages)) ? 0 : 1);
} catch (error) {
  console.error(`tests/conformance/run: ${error.message}`);
  process.exit(1);
}
