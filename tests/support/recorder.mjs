// A proxy before an MCP server over HTTP, which writes down what passes and has wire_check hold it against the schemas of
// the protocol.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';

// What the program `wireCheck` finds in the transcript: { good, text }.
export function check(wireCheck, transcript) {
  const { status, stdout, error } = spawnSync(wireCheck, { input: transcript, stdio: ['pipe', 'pipe', 'inherit'] });
  if (error) throw error;
  return { good: status === 0, text: stdout.toString().trim() };
}

const namesAndValues = (raw) => raw.flatMap((text, at) => (at % 2 ? [] : [`${text}: ${raw[at + 1]}`]));

// Adds what comes on the stream to lines, with the mark before each. A line that is not complete is left out.
function write(stream, lines, mark) {
  let begun = '';
  stream.setEncoding('utf8');
  stream.on('data', (text) => {
    const whole = (begun + text).split('\n');
    begun = whole.pop();
    lines.push(...whole.map((line) => mark + line));
  });
  stream.on('end', () => lines.push(mark + begun));
}

// The lines of one exchange; what the client sent has come completely before anything is answered.
function pass(asked, answer, target) {
  const sent = [`> ${asked.method} ${asked.url}`, ...namesAndValues(asked.rawHeaders).map((line) => `> ${line}`)];
  const said = [];
  const { hostname, port } = target;
  const onward = http.request({
    host: hostname.replace(/[[\]]/g, ''), port, agent: false, method: asked.method, path: asked.url,
    headers: asked.rawHeaders,
  });
  onward.on('response', (answered) => {
    said.push(...namesAndValues(answered.rawHeaders).map((line) => `< ${line}`));
    answer.writeHead(answered.statusCode, answered.rawHeaders);
    answer.flushHeaders();
    write(answered, said, '< ');
    answered.on('error', () => answer.destroy());
    answered.pipe(answer);
  });
  onward.on('error', () => answer.destroy());
  answer.on('close', () => onward.destroy());
  write(asked, sent, '> ');
  asked.pipe(onward);
  return { sent, said };
}

// Records from now on; { url } stands for the server's, check(wireCheck) ends it.
export async function record(serverUrl) {
  const target = new URL(serverUrl);
  const exchanges = [];
  const listen = async (host, port) => {
    const proxy = http.createServer((asked, answer) => exchanges.push(pass(asked, answer, target)));
    proxy.listen(port, host);
    await once(proxy, 'listening');
    return proxy;
  };
  const proxies = [await listen('127.0.0.1', 0)];
  const { port } = proxies[0].address();
  await listen('::1', port).then((other) => proxies.push(other), () => {}); // where there is IPv6
  return {
    url: `http://localhost:${port}${target.pathname}`,
    check(wireCheck) {
      for (const proxy of proxies) {
        proxy.close();
        proxy.closeAllConnections();
      }
      return check(wireCheck, exchanges.flatMap(({ sent, said }) => [...sent, ...said, '']).join('\n'));
    },
  };
}
