// Tasks, as the package for them makes them of a connected client.
import {
  createApplicationInputHandler,
  createTaskSessionFromClient,
  resultFromTaskOutcome,
} from '@modelcontextprotocol/ext-tasks/client';

// Sends requests beneath the client, whose codecs know nothing of tasks, and catches their answers.
function dispatchBeneath(transport) {
  let last = 0;
  const waiting = new Map();
  const deliver = transport.onmessage;
  transport.onmessage = (message, extra) => {
    const answer = message.method === undefined && waiting.get(message.id);
    if (!answer) return deliver(message, extra);
    waiting.delete(message.id);
    const { result, error } = message;
    answer(error ? { kind: 'error', error } : { kind: 'result', result });
  };
  return (request) =>
    new Promise((resolve, reject) => {
      const id = `task-${++last}`;
      waiting.set(id, resolve);
      transport.send({ jsonrpc: '2.0', ...request, id }).catch(reject);
    });
}

// { task(name, arguments), close() }; `answer` says what a form is filled in with.
export function openTasks(client, transport, { version, isModern, self, capabilities, answer }) {
  const raw = isModern && {
    rawDispatch: dispatchBeneath(transport),
    v2RequestFraming: { protocolVersion: version, clientInfo: self, clientCapabilities: capabilities },
  };
  const nobody = () => Promise.reject(new Error('nobody is asked for that here'));
  const session = createTaskSessionFromClient(client, {
    endpointId: 'collet',
    ...raw,
    onInputRequest: createApplicationInputHandler({ elicitation: answer, sampling: nobody, roots: nobody }),
  });
  return {
    async task(name, args) {
      const execution = await session.callTool(name, args);
      const { outcome } = await execution.settle();
      return { wasTask: execution.kind === 'task', result: resultFromTaskOutcome(outcome) };
    },
    close: () => session.close(),
  };
}
