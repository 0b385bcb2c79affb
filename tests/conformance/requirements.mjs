// What the suite requires of a revision.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { parse } from 'yaml';

export const suite = fileURLToPath(new URL('node_modules/@modelcontextprotocol/conformance', import.meta.url));

// The scenarios for servers of a revision: [{ name, scored }]; empty if the suite does not know the revision.
export function scenariosOf(revision) {
  const file = path.join(suite, 'requirements', `${revision}.yaml`);
  if (!existsSync(file)) return [];
  const { server, not_scored: others } = parse(readFileSync(file, 'utf8'));
  return [
    ...server.map((name) => ({ name, scored: true })),
    ...others.filter(({ leg }) => leg === 'server').map(({ scenario }) => ({ name: scenario, scored: false })),
  ];
}
