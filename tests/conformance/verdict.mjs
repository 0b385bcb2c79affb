// Whether a scenario went well, from the checks that the suite wrote about it. Stricter than the suite, which lets pass
// what warns, what was skipped and what checked nothing.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

// The suite skips it whatever a server does.
const alwaysSkipped = 'tasks-status-notifications';
// The one check that every scenario has; alone it says only that some message was well-formed.
const checkOfEvery = 'wire-schema-valid';
const messageCharactersMax = 400;

// What a client of 2026-07-28 never sends: that it was not seen is as it should be.
const handshakeOfOld = / on (initialize|notifications\/initialized) request$/;

// The checks of a scenario from the folder that the suite filled, or null if it wrote none. A name may have a folder in
// it: "auth/dpop".
function checksOf(leg, name, folder) {
  const time = /^\d{4}-\d\d-\d\dT/;
  const place = path.join(folder, path.dirname(name));
  const prefix = `${leg === 'server' ? 'server-' : ''}${path.basename(name)}-`;
  const entries = existsSync(place) ? readdirSync(place) : [];
  const found = entries.find((entry) => entry.startsWith(prefix) && time.test(entry.slice(prefix.length)));
  const file = found && path.join(place, found, 'checks.json');
  return file && existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null;
}

function complaintsOf(name, checks) {
  if (!checks) return ['it broke off; see suite.log'];
  if (name === alwaysSkipped && checks.every(({ status }) => status === 'SKIPPED')) return [];
  const complaints = ['FAILURE', 'WARNING', 'SKIPPED'].flatMap((wrong) =>
    checks
      .filter(({ status, description }) => status === wrong && !(wrong === 'SKIPPED' && handshakeOfOld.test(description)))
      .map((check) => `${wrong} ${check.id}: ${check.errorMessage ?? check.details?.note ?? check.description}`),
  );
  const checked = checks.some(({ id, status }) => status === 'SUCCESS' && id !== checkOfEvery);
  if (!checked && complaints.length === 0) complaints.push('nothing was checked');
  return complaints.map((complaint) => complaint.slice(0, messageCharactersMax));
}

// What came of a scenario: numbers of checks, and in words what is not good; nothing if all is.
export function resultOf({ leg = 'server', name, scored }, folder) {
  const checks = checksOf(leg, name, folder);
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
  const isGap = ({ name }) => gaps.some((gap) => (gap.endsWith('*') ? name.startsWith(gap.slice(0, -1)) : name === gap));
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
  const closed = results.filter((result) => isGap(result) && isGood(result));
  lines.push(...closed.map(({ name }) => `${name} is good now: it is no known gap any more`));
  return { text: lines.join('\n'), good: results.every((result) => isGood(result) !== isGap(result)) };
}
