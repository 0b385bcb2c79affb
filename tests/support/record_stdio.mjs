// node record_stdio.mjs FOLDER COMMAND [ARGUMENT…]: runs the command, passes stdin and stdout through, and writes both down
// in a file of FOLDER, as a transcript for wire_check.
import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import path from 'node:path';

const [folder, command, ...args] = process.argv.slice(2);
const file = path.join(folder, `${process.pid}.txt`);
const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => child.kill(signal));
child.on('close', (code) => process.exit(code ?? 1));

// Passes on what is read and writes its whole lines down, before they arrive.
function pass(from, to, mark) {
  let begun = '';
  from.setEncoding('utf8');
  from.on('data', (text) => {
    const lines = (begun + text).split('\n');
    begun = lines.pop();
    appendFileSync(file, lines.map((line) => `${mark} ${line}\n`).join(''));
    to.write(text);
  });
}
pass(process.stdin, child.stdin, '>');
process.stdin.on('end', () => child.stdin.end());
pass(child.stdout, process.stdout, '<');
