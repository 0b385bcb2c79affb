import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';

import { report, resultOf } from './verdict.mjs';

let folder;
beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'collet-verdict-'))));
afterEach(() => rmSync(folder, { recursive: true }));

// As the suite leaves it.
function write(name, checks) {
  const place = path.join(folder, `server-${name}-2026-07-28T10-00-00-000Z`);
  mkdirSync(place);
  writeFileSync(path.join(place, 'checks.json'), JSON.stringify(checks));
}
const check = (status, id = 'some-check') => ({ id, status, description: 'what it is about' });
const judge = (name, checks) => {
  write(name, checks);
  return resultOf({ name, scored: true }, folder);
};

test('a scenario with successes and notes is good', () => {
  const result = judge('ping', [check('SUCCESS'), check('SUCCESS', 'wire-schema-valid'), check('INFO')]);
  assert.deepEqual(result.complaints, []);
  assert.equal(result.passed, 2);
});

for (const status of ['FAILURE', 'WARNING', 'SKIPPED']) {
  test(`one ${status} among successes is too many`, () => {
    const result = judge('ping', [check('SUCCESS'), check(status, 'odd-one')]);
    assert.deepEqual(result.complaints, [`${status} odd-one: what it is about`]);
  });
}

test('a scenario that checked nothing of its own is not good', () => {
  assert.deepEqual(judge('ping', [check('SUCCESS', 'wire-schema-valid')]).complaints, ['nothing was checked']);
  assert.deepEqual(judge('pong', []).complaints, ['nothing was checked']);
});

test('a scenario without a result is not good', () => {
  mkdirSync(path.join(folder, 'server-ping-2026-07-28T10-00-00-000Z'));
  assert.equal(resultOf({ name: 'ping', scored: true }, folder).complaints.length, 1);
  assert.equal(resultOf({ name: 'pong', scored: true }, folder).complaints.length, 1);
});

test('a name that begins another, or ends as a date begins, finds its own result', () => {
  write('json-schema-2020-12', [check('FAILURE')]);
  assert.equal(judge('json-schema', [check('SUCCESS')]).failed, 0);
  assert.equal(resultOf({ name: 'json-schema-2020-12', scored: true }, folder).failed, 1);
});

test('the scenario that the suite always skips is good only as long as it does', () => {
  const name = 'tasks-status-notifications';
  assert.deepEqual(judge(name, [check('SKIPPED')]).complaints, []);
  rmSync(folder, { recursive: true });
  mkdirSync(folder);
  assert.equal(judge(name, [check('SKIPPED'), check('FAILURE')]).complaints.length, 2);
});

test('one bad scenario, scored or not, spoils the report', () => {
  const good = judge('ping', [check('SUCCESS')]);
  const bad = { ...judge('pong', [check('WARNING')]), scored: false };
  assert.equal(report([good]).good, true);
  assert.equal(report([good, bad]).good, false);
  assert.match(report([good, bad]).text, /1 of 1 scored scenarios are good\n0 of 1 unscored scenarios are good$/);
});

test('a known gap spoils nothing as long as it is one', () => {
  const good = judge('ping', [check('SUCCESS')]);
  const gap = judge('pong', [check('FAILURE')]);
  assert.equal(report([good, gap], ['pong']).good, true);
  assert.equal(report([good], ['ping']).good, false);
  assert.match(report([good], ['ping']).text, /ping is good now/);
});

test('the client leg has its results elsewhere, those of auth one folder deeper', () => {
  const place = path.join(folder, 'auth', 'dpop-2026-07-28T10-00-00-000Z');
  mkdirSync(place, { recursive: true });
  writeFileSync(path.join(place, 'checks.json'), JSON.stringify([check('SUCCESS')]));
  assert.deepEqual(resultOf({ leg: 'client', name: 'auth/dpop', scored: false }, folder).complaints, []);
  assert.equal(resultOf({ leg: 'client', name: 'auth/other', scored: false }, folder).complaints.length, 1);
});

test('what a modern client never sends is rightly not seen', () => {
  const skipped = { ...check('SKIPPED'), description: 'Client sends correct Mcp-Method header on initialize request' };
  assert.deepEqual(judge('http-standard-headers', [check('SUCCESS'), skipped]).complaints, []);
});

test('a known gap may be a family', () => {
  const bad = judge('auth-a', [check('FAILURE')]);
  assert.equal(report([bad], ['auth-*']).good, true);
  assert.equal(report([bad], ['auth']).good, false);
});
