import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import type {Operation} from '../../plugin-sdk/index.ts';
import {startPlugin} from '../../plugin-sdk/testing.ts';
import {mcpOperations} from '../../schemas/hooks.ts';
import {seededRandom} from '../../test/helpers/seeded-random.ts';
import {decide, type Question} from './decide.ts';
import {narrowed, ofMcp} from './mcp.ts';
import type {Right} from './rights.ts';
import type {Rule} from './rules.ts';

const who = {tenant: 'acme', team: 'search', key: 'key_1', accounts: []};
const tool = (server: string, name: string) => ({server, name});

test('a tool that is not granted is neither listed nor called', async t => {
	const plugin = await startPlugin(import.meta.url, {config: {allow: {'tenant:acme': {servers: ['files'], tools: ['files/read_*']}}}});
	t.teardown(plugin.close);
	const result = {servers: ['files', 'mail'], tools: [tool('files', 'read_file'), tool('files', 'write_file'), tool('mail', 'read_all')]};
	t.deepEqual(await plugin.ask('post-response', {operation: 'tools/list', principal: who, result}), {
		verdict: 'rewrite',
		patch: {result: {servers: ['files'], tools: [tool('files', 'read_file')]}},
	});
	const call = (server: string, name: string) =>
		plugin.ask('on-tool-call', {principal: who, source: 'mcp', tool: {server, name, arguments: {}, argumentsDigest: ''}});
	t.is(await call('files', 'read_file'), undefined);
	t.like(await call('files', 'write_file'), {verdict: 'deny', code: 'denied'});
	t.like(await call('mail', 'read_all'), {verdict: 'deny', code: 'denied'});
	t.like(await plugin.ask('pre-request', {operation: 'tools/call', principal: who, server: 'mail'}), {verdict: 'deny'});
	t.like(await plugin.ask('pre-request', {operation: 'initialize', principal: who, server: 'mail'}), {verdict: 'deny'});
	t.is(await plugin.ask('pre-request', {operation: 'tools/list', principal: who}), undefined);
});

test('resources, prompts and completions are granted by themselves', async t => {
	const allow = {'*': {servers: ['docs'], tools: ['*'], prompts: ['docs/sum*'], resources: ['docs/file:///srv/*']}};
	const plugin = await startPlugin(import.meta.url, {config: {allow}});
	t.teardown(plugin.close);
	const may = async (
		operation: 'resources/read' | 'prompts/get' | 'completion/complete',
		params: Record<string, string | Record<string, string>>,
	) => (await plugin.ask('pre-request', {operation, principal: who, server: 'docs', params})) === undefined;
	t.true(await may('resources/read', {uri: 'file:///srv/a'}));
	t.false(await may('resources/read', {uri: 'file:///etc/passwd'}));
	t.false(await may('resources/read', {}));
	t.true(await may('prompts/get', {name: 'summary'}));
	t.false(await may('prompts/get', {name: 'other'}));
	t.true(await may('completion/complete', {ref: {type: 'ref/prompt', name: 'summary'}}));
	t.false(await may('completion/complete', {ref: {type: 'ref/prompt', name: 'other'}}));
	t.false(await may('completion/complete', {ref: {type: 'ref/resource', uri: 'file:///{x}'}}));
});

test('an address below a granted one leads nowhere else, however it is written', async t => {
	const resources = ['docs/file:///srv/*', 'docs/note*', 'docs/file:///etc/../srv/exact', 'open/*'];
	const allow = {'*': {servers: ['docs', 'open'], resources}};
	const plugin = await startPlugin(import.meta.url, {config: {allow}});
	t.teardown(plugin.close);
	const may = async (uri: string, operation: Operation = 'resources/read', server = 'docs') => {
		const params = operation === 'completion/complete' ? {ref: {type: 'ref/resource', uri}} : {uri};
		return (await plugin.ask('pre-request', {operation, principal: who, server, params})) === undefined;
	};
	const climbing = [
		...['file:///srv/../etc/passwd', 'file:///srv/a/../../etc/passwd', 'file:///srv/..', 'file:///srv/.. /etc', 'file:///srv/\\..\\etc'],
		...['file:///srv/%2e%2e/etc', 'file:///srv/%2E./etc', 'file:///srv/..%2fetc', 'file:///srv/..%5cetc', 'file:///srv/%252e%252e/etc'],
		...[
			'file:///srv/%25252e%25252e/etc',
			'file:///srv/%c0%ae%c0%ae/etc',
			'file:///srv/..;/etc',
			'file:///srv/..;a=1/etc',
			'file:///srv/a%00.txt',
		],
		...[
			'file:///srv/\u0000/etc',
			'file:///srv/a\n/etc',
			'file:///srv/．．/etc',
			'file:///srv/‥/etc',
			'file:///srv/..／etc',
			'file:///srv/a\\b',
		],
		...['note/../file:///etc/passwd', 'note%2f..%2fx'],
	];
	for (const uri of climbing) {
		for (const operation of ['resources/read', 'resources/subscribe', 'completion/complete'] as const)
			t.false(await may(uri, operation), `${operation} ${JSON.stringify(uri)}`);
	}
	const outside = [
		'file:///etc/passwd',
		'FILE:///srv/a',
		'file://srv/a',
		'file:/srv/a',
		' file:///srv/a',
		'file:///srv',
		'file:///SRV/a',
		'',
	];
	for (const uri of outside) t.false(await may(uri), uri);
	const inside = [
		'file:///srv/a',
		'file:///srv/a/..b',
		'file:///srv/...',
		'file:///srv/a%20b',
		'file:///srv/ünï…',
		'notes://one',
		'file:///etc/../srv/exact',
	];
	for (const uri of inside) t.true(await may(uri), uri);
	t.true(await may('file:///srv/../x', 'resources/read', 'open'), 'all of a server is all of it');
	const listed = {
		servers: ['docs'],
		resources: [...climbing, ...outside, ...inside].filter(uri => uri !== '').map(uri => tool('docs', uri)),
	};
	const left = await plugin.ask('post-response', {operation: 'resources/list', principal: who, result: listed});
	t.deepEqual(left?.patch, {result: {servers: ['docs'], resources: inside.map(uri => tool('docs', uri))}});
});

test('every request to a server is judged, but for those that ask nothing of one', async t => {
	const {hooks} = JSON.parse(await readFile(join(import.meta.dirname, 'manifest.json'), 'utf8')) as {
		hooks: {'pre-request': {operations: string[]}};
	};
	const asksNothing = ['ping', 'notifications', 'logging/setLevel', 'end', 'batch'];
	for (const operation of mcpOperations) {
		t.is(hooks['pre-request'].operations.includes(operation), !asksNothing.includes(operation), operation);
		if (asksNothing.includes(operation)) continue;
		const question = ofMcp(operation as Operation, 'mail', {});
		t.false(
			decide([{scope: '*', rule: {servers: ['files'], tools: ['*'], prompts: ['*'], resources: ['*']}, from: 'config'}], question!).granted,
			operation,
		);
	}
});

test('what is listed is what may be called, under 10,000 random policies', t => {
	const seed = Date.now() % 1_000_000;
	const {pick, below} = seededRandom(seed);
	const servers = ['a', 'ab', 'b'];
	const names = ['read', 'read_file', 'write', '*', 'r/ead', 'r/../ead', 'x:///{path}', 'x:///a/%2e%2e/b'];
	const pattern = (): string =>
		pick(['*', 'a*', 'a/*', 'ab/*', 'a/read', 'a/read*', 'b/write', 'b/r/*', 'ab/read_file', 'a/r/*', 'b/x:///*']);
	const some = <T>(make: () => T): T[] => Array.from({length: below(3)}, make);
	const rule = (): Rule => ({
		...(below(3) > 0 && {servers: some(() => pick(['*', 'a', 'a*', 'ab', 'b']))}),
		...(below(3) > 0 && {tools: some(pattern), prompts: some(pattern), resources: some(pattern)}),
		...(below(6) === 0 && {
			operations: some(() => pick(['tools/call', 'prompts/get', 'resources/read', 'completion/complete', '*'] as const)),
		}),
		...(below(4) === 0 && {
			whenTainted: {
				...(below(2) === 0 && {by: [pick(['injection', 'prompt-leak'])]}),
				deny: {tools: some(pattern), servers: some(() => pick(['a', 'a*', 'b']))},
			},
		}),
	});
	/** The same rules about everything but the kind of call. */
	const ofAllKinds = (right: Right): Right => right.map(({rule: {operations: _, ...rest}, ...standing}) => ({...standing, rule: rest}));
	const entries = servers.flatMap(server => names.map(name => tool(server, name)));
	const kinds = [
		{list: 'tools/list', field: 'tools', call: 'tools/call', params: () => ({})},
		{list: 'prompts/list', field: 'prompts', call: 'prompts/get', params: (name: string) => ({name})},
		{list: 'resources/list', field: 'resources', call: 'resources/read', params: (uri: string) => ({uri})},
		{list: 'resources/templates/list', field: 'resourceTemplates', call: 'resources/read', params: (uri: string) => ({uri})},
	] as const;
	for (let round = 0; round < 10_000; round++) {
		const right: Right = Array.from({length: 1 + below(3)}, () => ({
			scope: '*',
			rule: rule(),
			from: pick(['config', 'action', 'tenant'] as const),
		}));
		const {list, field, call, params} = kinds[round % kinds.length]!;
		const taints = pick([[], ['injection'], ['other', 'prompt-leak']]);
		const may = (question: Question): boolean => decide(right, {...question, taints}).granted;
		const left = (narrowed(right, list, {servers, [field]: entries}, taints) as Record<string, {server: string; name: string}[]>)[field]!;
		for (const {server, name} of entries) {
			const listed = left.some(entry => entry.server === server && entry.name === name);
			// As the two hooks ask, one after the other.
			const isCalled =
				may(ofMcp(call, server, params(name))!) && (call !== 'tools/call' || may({operation: call, server, tool: name, arguments: {}}));
			if (listed !== isCalled) t.fail(`seed ${seed}, round ${round}: ${server}/${name} listed ${listed}, called ${isCalled}`);
			if (call === 'tools/call') continue;
			// Who may complete what leads to it could have it, and the other way round, as far as the kinds of calls go.
			const ref: Record<string, string> = call === 'prompts/get' ? {type: 'ref/prompt', name} : {type: 'ref/resource', uri: name};
			const isCompleted = may(ofMcp('completion/complete', server, {ref})!);
			const mayHave = decide(ofAllKinds(right), {...ofMcp(call, server, params(name))!, taints}).granted;
			const mayComplete = decide(right, {operation: 'completion/complete'}).granted;
			if (isCompleted !== (mayHave && mayComplete))
				t.fail(`seed ${seed}, round ${round}: ${server}/${name} completed ${isCompleted}, to be had ${mayHave}`);
			const isHeard = call === 'resources/read' && may(ofMcp('resources/subscribe', server, params(name))!);
			if (call === 'resources/read' && isHeard !== isCalled)
				t.fail(`seed ${seed}, round ${round}: ${server}/${name} heard ${isHeard}, read ${isCalled}`);
		}
	}
	t.pass();
});
