// node run.mjs BUILD LEG REVISION [--scenario NAME] [--list] [--gap NAME]… [--check-messages]: see `run --help`.
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

const suiteTimeoutMs = 1_200_000;
const clientTimeoutMs = 600_000; // all drivers run side by side
const config = fileURLToPath(new URL('collet.toml', import.meta.url));
const driver = fileURLToPath(new URL('client.mjs', import.meta.url));

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
    if (positionals.length !== 3) usageError('one leg and one revision, please; see --help');
    const [build, leg, revision] = positionals;
    return { build, leg, revision, ...values };
  } catch (error) {
    usageError(error.message);
  }
}

// Runs one leg of the suite; what it finds and says is in `folder` then. How it ends tells nothing that is not to be found
// there.
async function runSuite(leg, subject, revision, scenario, folder) {
  const what = scenario ? ['--scenario', scenario, '--spec-version', revision, '--force'] : ['--requirements', revision];
  const program = path.join(suite, 'dist/index.js');
  const log = openSync(path.join(folder, 'suite.log'), 'w');
  const child = spawn(process.execPath, [program, leg, ...subject, ...what, '--output-dir', folder], {
    stdio: ['ignore', log, log],
  });
  try {
    await within(suiteTimeoutMs, 'the suite', once(child, 'exit'));
  } finally {
    child.kill('SIGKILL');
  }
}

// Has the suite call the built server, which has to end well, too. Whether its messages are good, if they are to be
// checked.
async function runServerLeg(build, revision, scenario, folder, checksMessages) {
  const server = await serve(path.resolve(build, 'bin/collet'), config, path.join(folder, 'server.log'));
  const recorder = checksMessages ? await record(server.url) : undefined;
  await runSuite('server', ['--url', (recorder ?? server).url], revision, scenario, folder);
  await server.stop();
  if (!recorder) return true;
  const messages = recorder.check(path.resolve(build, 'bin/wire_check'));
  console.log(messages.text);
  return messages.good;
}

// Has the suite be called by the driver, which has the built host import it.
async function runClientLeg(build, revision, scenario, folder) {
  const command = [process.execPath, driver, path.resolve(build, 'bin/collet')].join(' ');
  await runSuite('client', ['--command', command, '--timeout', String(clientTimeoutMs)], revision, scenario, folder);
  return true;
}

// Whether every scenario is good.
async function judge(build, leg, revision, scenario, scenarios, gaps, checksMessages) {
  const folder = path.resolve(build, 'conformance', leg === 'server' ? revision : `client-${revision}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const runLeg = leg === 'server' ? runServerLeg : runClientLeg;
  const messagesGood = await runLeg(build, revision, scenario, folder, checksMessages);
  const { text, good } = report(scenarios.map((one) => resultOf(one, folder)), gaps);
  console.log(text);
  return good && messagesGood;
}

const { build, leg, revision, scenario, list, gap, 'check-messages': checksMessages } = parseCommandLine();
const all = scenariosOf(leg, revision);
if (all.length === 0) usageError(`the suite has no requirements for ${revision}`);
if (list) {
  for (const { name, scored } of all) console.log(scored ? name : `${name} (not scored)`);
  process.exit();
}
const scenarios = scenario ? all.filter(({ name }) => name === scenario) : all;
if (scenarios.length === 0) usageError(`${revision} has no scenario ${scenario}; see --list`);

try {
  process.exit((await judge(build, leg, revision, scenario, scenarios, gap, checksMessages)) ? 0 : 1);
} catch (error) {
  console.error(`tests/conformance/run: ${error.message}`);
  process.exit(1);
}
