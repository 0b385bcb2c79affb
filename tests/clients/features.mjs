// What clients are served beside plain tools, by the plugin of tests/conformance/fixture. A feature is left out where a
// client's session has no such method.
import assert from 'node:assert/strict';

const askMs = 100; // between two changes, until one has been heard of
const watched = 'test://watched-resource';

async function resources(session) {
  const uris = (await session.resources()).map(({ uri }) => uri);
  assert.ok(uris.includes(watched), 'resources/list');
  const [text] = (await session.read('test://static-text')).contents;
  assert.equal(text.text, 'This is the content of the static text resource.');
  const [ofTemplate] = (await session.read('test://template/7/data')).contents;
  assert.equal(JSON.parse(ofTemplate.text).id, '7');
  await assert.rejects(session.read('test://none'), 'an unknown resource was read');
}

async function prompts(session) {
  const names = (await session.prompts()).map(({ name }) => name);
  assert.ok(names.includes('test_prompt_with_arguments'), 'prompts/list');
  const { messages } = await session.prompt('test_prompt_with_arguments', { arg1: 'one', arg2: 'two' });
  assert.match(messages[0].content.text, /one.*two/);
  await assert.rejects(session.prompt('none', {}), 'an unknown prompt was got');
}

async function complete(session) {
  const { completion } = await session.complete('test_prompt_with_arguments', 'arg1', 'par');
  assert.deepEqual(completion.values, ['paris', 'parma']);
}

// The person says "Ada" to whatever is asked.
async function elicit(session) {
  assert.equal((await session.elicit('test_input_required_result_elicitation')).content[0].text, 'Hello, Ada!');
}

async function watch(session) {
  const changes = {
    'notifications/resources/updated': 'test_trigger_resource_update',
    'notifications/tools/list_changed': 'test_trigger_tool_change',
  };
  const watching = await session.watch(watched);
  for (const [method, tool] of Object.entries(changes)) {
    // A legacy client's stream may not be open yet: what nobody hears is changed again.
    while (!watching.heard.has(method)) {
      await session.call(tool, {});
      await new Promise((resolve) => setTimeout(resolve, askMs));
    }
  }
  await watching.close();
}

async function task(session) {
  const { wasTask, result } = await session.task('slow_compute', { seconds: 0.2, label: 'in the background' });
  assert.ok(wasTask || !session.hasTasks, 'it was no task');
  assert.equal(result.content[0].text, 'Computed in the background');
  if (!wasTask) return;
  const asked = await session.task('confirm_delete', { filename: 'notes.txt' });
  assert.equal(asked.result.content[0].text, 'Kept notes.txt');
}

export async function exerciseFeatures(session) {
  for (const feature of [resources, prompts, complete, elicit, watch, task]) {
    if (!session[feature.name]) continue;
    try {
      await feature(session);
    } catch (error) {
      throw new Error(`${feature.name}: ${error.message}`, { cause: error });
    }
  }
}
