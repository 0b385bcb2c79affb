// What every client asks of the server, and what it has to be told.
import { DatabaseSync } from 'node:sqlite';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

// A folder and a database for the plugins of a build, and the config that serves them. Returns the path of the config.
export function makeFixture(folder, build) {
  const plugins = path.join(build, 'plugins');
  const files = path.join(folder, 'files');
  mkdirSync(files);
  writeFileSync(path.join(files, 'greeting.txt'), 'Grüß Gott, world\n');
  const database = path.join(folder, 'people.db');
  const db = new DatabaseSync(database);
  db.exec('CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, born INTEGER)');
  const insert = db.prepare('INSERT INTO people (name, born) VALUES (?, ?)');
  for (const row of [['Ada', 1815], ['Grace', 1906], ['Alan', 1912]]) insert.run(...row);
  db.close();
  const config = path.join(folder, 'collet.toml');
  writeFileSync(config, `
[log]
level = "warning"
[plugin.files]
library = ${JSON.stringify(path.join(plugins, 'files.so'))}
config.roots = [{ name = "docs", path = ${JSON.stringify(files)} }]
[plugin.sqlite]
library = ${JSON.stringify(path.join(plugins, 'sqlite.so'))}
config.database = ${JSON.stringify(database)}
[plugin.fixture]
library = ${JSON.stringify(path.join(build, 'conformance/fixture.so'))}
`);
  return config;
}

// `says` stands in what the tool answers, `is_error` is what the result says of itself; what is `refused` has no result.
export const calls = [
  { tool: 'files_list', arguments: { path: 'docs' }, says: 'greeting.txt' },
  { tool: 'files_read', arguments: { path: 'docs/greeting.txt' }, says: 'Grüß Gott, world' },
  { tool: 'files_read', arguments: { path: 'docs/../people.db' }, says: '..', is_error: true },
  { tool: 'sqlite_tables', arguments: {}, says: 'people' },
  {
    tool: 'sqlite_query',
    arguments: { sql: 'SELECT name FROM people WHERE born > ? ORDER BY name', params: [1900] },
    says: 'Grace',
  },
  { tool: 'sqlite_query', arguments: { sql: 'DELETE FROM people' }, says: 'read', is_error: true },
  { tool: 'no_such_tool', arguments: {}, refused: true },
];
