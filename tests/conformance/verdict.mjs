// Whether a scenario went well, from the checks that the suite wrote about it. Stricter than the suite, which lets pass
// what warns, what was skipped and what checked nothing.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

// The suite skips it whatever a server does.
const alwaysSkipped = 'tasks-status-notifications';
// The one check that every scenario has; alone it says only that some message was well-formed.
const checkOfEvery = 'wire-schema-valid';
const messageCharactersMax = 400;

// The checks of a scenario from the folder that the suite filled, or null if it wrote none.
function checksOf(name, folder) {
  const time = /^\d{4}-\d\d-\d\dT/;
  const prefix = `server-${name}-`;
  const found = readdirSync(folder).find((entry) => entry.startsWith(prefix) && time.test(entry.slice(prefix.length)));
  const file = found && path.join(folder, found, 'checks.json');
  return file && existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null;
}

function complaintsOf(name, checks) {
  if (!checks) return ['it broke off; see suite.log'];
  if (name === alwaysSkipped && checks.every(({ status }) => status === 'SKIPPED')) return [];
  const complaints = ['FAILURE', 'WARNING', 'SKIPPED'].flatMap((wrong) =>
    checks
      .filter(({ status }) => status === wrong)
      .map((check) => `${wrong} ${check.id}: ${check.errorMessage ?? check.details?.note ?? check.description}`),
  );
  const checked = checks.some(({ id, status }) => status === 'SUCCESS' && id !== checkOfEvery);
  if (!checked && complaints.length === 0) complaints.push('nothing was checked');
  return complaints.map((complaint) => complaint.slice(0, messageCharactersMax));
}

// What came of a scenario: numbers of checks, and in words what is not good; nothing if all is.
export function resultOf({ name, scored }, folder) {
  const checks = checksOf(name, folder);
  const count = (wanted) => (checks ?? []).filter(({ status }) => status === wanted).length;
  return {
    name,
    scored,
    passed: count('SUCCESS'),
    failed: count('FAILURE'),
    warned: count('WARNING'),
    skipped: count('SKIPPED'),
    complaints: complaintsOf(name, checks),
  };
}

const isGood = ({ complaints }) => complaints.length === 0;

function row(name, ...cells) {
  return name.padEnd(48) + cells.map((cell) => String(cell).padStart(8)).join('');
}

// A line a scenario with what is wrong below it, and the sums; and whether all is good but the known gaps, none of which
// may have been closed without being struck off the list.
export function report(results, gaps = []) {
  const lines = [row('  scenario', 'passed', 'failed', 'warned', 'skipped', 'scored')];
  for (const result of results) {
    const { name, passed, failed, warned, skipped, scored, complaints } = result;
    lines.push(row(`${isGood(result) ? ' ' : '!'} ${name}`, passed, failed, warned, skipped, scored ? 'yes' : 'no'));
    lines.push(...complaints.map((complaint) => `      ${complaint}`));
  }
  for (const kind of ['scored', 'unscored']) {
    const those = results.filter(({ scored }) => scored === (kind === 'scored'));
    if (those.length > 0) lines.push(`${those.filter(isGood).length} of ${those.length} ${kind} scenarios are good`);
  }
  const closed = results.filter((result) => gaps.includes(result.name) && isGood(result));
  lines.push(...closed.map(({ name }) => `${name} is good now: it is no known gap any more`));
  return { text: lines.join('\n'), good: results.every((result) => isGood(result) !== gaps.includes(result.name)) };
}
