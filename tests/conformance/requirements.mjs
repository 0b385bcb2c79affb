// What the suite requires of a revision.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { parse } from 'yaml';

export const suite = fileURLToPath(new URL('node_modules/@modelcontextprotocol/conformance', import.meta.url));

// The scenarios for a leg, "server" or "client", of a revision: [{ leg, name, scored }]; empty if the suite does not know
// the revision.
export function scenariosOf(leg, revision) {
  const file = path.join(suite, 'requirements', `${revision}.yaml`);
  if (!existsSync(file)) return [];
  const { [leg]: scored, not_scored: others } = parse(readFileSync(file, 'utf8'));
  const unscored = others.filter((other) => other.leg === leg).map(({ scenario }) => scenario);
  return [
    ...scored.map((name) => ({ leg, name, scored: true })),
    ...unscored.map((name) => ({ leg, name, scored: false })),
  ];
}
