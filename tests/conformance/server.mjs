// The server under test, as a child of this process.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const startTimeoutMs = 10_000;
const stopTimeoutMs = 15_000; // more than it waits for what it has begun

// Rejects with `what` if the promise takes longer.
export function within(ms, what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took more than ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// Starts `collet serve` on a free port of localhost, in both families as the suite may use either, and waits until it
// listens. What it logs goes to the file `log`. Gives { url, stop() }; stop() throws if it does not end well.
export async function serve(collet, config, log) {
  const args = ['serve', '--config', config, '--listen', 'http://localhost:0'];
  const server = spawn(collet, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const kill = () => server.kill('SIGKILL');
  process.on('exit', kill);
  const ended = once(server, 'exit');
  const listening = new Promise((resolve, reject) => {
    createInterface(server.stderr).on('line', (line) => {
      appendFileSync(log, `${line}\n`);
      const said = line.match(/\blistening on (http:\S+)/);
      if (said) resolve(new URL('/mcp', said[1]).href);
    });
    ended.then(
      ([code, signal]) => reject(new Error(`${collet} ended with ${code ?? signal} before it listened; see ${log}`)),
      reject,
    );
  });

  async function stop() {
    server.kill('SIGTERM');
    const [code, signal] = await within(stopTimeoutMs, 'stopping the server', ended);
    process.off('exit', kill);
    if (code !== 0) throw new Error(`the server ended with ${code ?? signal}`);
  }
  return { url: await within(startTimeoutMs, 'starting the server', listening), stop };
}
