import test from 'ava';
import {type Entries, besideHarmless as start, tool, usual} from './helpers/hostile-beside-harmless.ts';
import type {Says} from './helpers/hostile-mcp-server.ts';
import {wireTo} from './helpers/mcp-wire.ts';

const word = 'falcon';

const text = `a ${word} flew`;

const places: Record<string, {method: string; params: Record<string, unknown>; says: Says}> = {
	'a result': {method: 'tools/call', params: {name: 'act'}, says: {call: {content: [{type: 'text', text}]}}},
	'a result that is an error': {
		method: 'tools/call',
		params: {name: 'act'},
		says: {call: {isError: true, content: [{type: 'text', text}]}},
	},
	'structured content': {
		method: 'tools/call',
		params: {name: 'act'},
		says: {call: {content: [], structuredContent: {deep: [{note: text}]}}},
	},
	'a key of structured content': {method: 'tools/call', params: {name: 'act'}, says: {call: {content: [], structuredContent: {[text]: 1}}}},
	'an embedded resource': {
		method: 'tools/call',
		params: {name: 'act'},
		says: {call: {content: [{type: 'resource', resource: {uri: 'x://y', text}}]}},
	},
	'what is said of a link': {
		method: 'tools/call',
		params: {name: 'act'},
		says: {call: {content: [{type: 'resource_link', uri: 'x://y', name: 'n', description: text}]}},
	},
	'the type of a part': {method: 'tools/call', params: {name: 'act'}, says: {call: {content: [{type: text, text: 'x'}]}}},
	'a picture that is words': {
		method: 'tools/call',
		params: {name: 'act'},
		says: {call: {content: [{type: 'image', data: text, mimeType: 'x/y'}]}},
	},
	'what stands beside a result': {
		method: 'tools/call',
		params: {name: 'act'},
		says: {call: {content: [], _meta: {note: text}, more: {note: text}}},
	},
	'an error': {method: 'tools/call', params: {name: 'act'}, says: {call: new Error(text)}},
	'what comes with an error': {method: 'tools/call', params: {name: 'act'}, says: {call: new Error('no', {cause: {note: text}})}},
	'a resource': {method: 'resources/read', params: {uri: 'x://y'}, says: {read: {contents: [{uri: 'x://y', text}]}}},
	'a prompt': {
		method: 'prompts/get',
		params: {name: 'p'},
		says: {prompts: [{name: 'p'}], prompt: {messages: [{role: 'user', content: {type: 'text', text}}]}},
	},
	'what is said of a prompt': {
		method: 'prompts/get',
		params: {name: 'p'},
		says: {prompts: [{name: 'p'}], prompt: {description: text, messages: []}},
	},
	'a list': {method: 'tools/list', params: {}, says: {tools: [tool('act', {description: text})]}},
	'a list of resources': {method: 'resources/list', params: {}, says: {resources: [{uri: 'x://y', name: 'n', description: text}]}},
	'a greeting': {method: 'server/discover', params: {}, says: {instructions: text}},
};

for (const era of ['legacy', 'stateless'] as const)
	test.serial(`no guard is blind to what a ${era} server says, wherever it says it`, async t => {
		const plugins: Entries = [...usual, {use: 'word-list', config: {words: [word], action: 'deny'}}];
		const {gateway, one} = await start(t, {}, {era, plugins});
		for (const [what, {method, params, says}] of Object.entries(places)) {
			one.says = says;
			const {body} = await wireTo(`${gateway.url}/mcp/one`, await gateway.key()).ask(method, params);
			t.is(body.error?.data?.code, 'content_blocked', `${what}: ${JSON.stringify(body)}`);
			t.false(JSON.stringify(body).includes(word), what);
		}
	});

test.serial('what nobody sees reaches no client, wherever a server says it', async t => {
	const plugins: Entries = [...usual, {use: 'visible-text'}];
	for (const era of ['legacy', 'stateless'] as const) {
		const {gateway, one} = await start(t, {}, {era, plugins});
		for (const [what, {method, params, says}] of Object.entries(places)) {
			if (method === 'tools/list' || method === 'server/discover') continue;
			one.says = JSON.parse(JSON.stringify(says).replaceAll(word, 'fal\u{e0041}\u200b\\u001b[8mcon'));
			if (says.call instanceof Error) one.says.call = new Error('fal\u200bcon', {cause: {note: 'fal\u001b[8mcon'}});
			const {body} = await wireTo(`${gateway.url}/mcp/one`, await gateway.key()).ask(method, params);
			t.regex(JSON.stringify(body), /falcon/, what);
			t.notRegex(JSON.stringify(body), /[\u200b\u{e0041}]|u001b/u, what);
		}
	}
});

test.serial('secrets and people in what a server answers are masked, wherever they stand', async t => {
	const secret = 'AKIAIOSFODNN7EXAMPLE';
	const said = `key ${secret} of ada@example.com`;
	const plugins: Entries = [...usual, {use: 'masking', config: {mask: ['email', 'api-key'], in: ['request', 'response']}}];
	const {wire, one} = await start(
		t,
		{
			call: {
				content: [
					{type: 'text', text: said},
					{type: 'resource', resource: {uri: 'x://y', text: said}},
				],
				structuredContent: {env: [{KEY: said}]},
			},
			read: {contents: [{uri: 'x://y', text: said}]},
		},
		{plugins},
	);
	for (const [method, params] of [
		['tools/call', {name: 'act'}],
		['resources/read', {uri: 'x://y'}],
	] as const) {
		const {body} = await wire.ask(method, params);
		t.truthy(body.result);
		t.notRegex(JSON.stringify(body), /AKIA|ada@/);
	}
	one.says.call = new Error(said, {cause: {env: said}});
	const {body} = await wire.call('act');
	t.truthy(body.error);
	t.notRegex(JSON.stringify(body), /AKIA|ada@/);
});
