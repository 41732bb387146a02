import test from 'ava';
import {startPlugin} from '../../plugin-sdk/testing.ts';
import {seededRandom} from '../../test/helpers/seeded-random.ts';
import {decide} from './decide.ts';
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

test('what is listed is what may be called, under 10,000 random policies', t => {
	const seed = Date.now() % 1_000_000;
	const {pick, below} = seededRandom(seed);
	const servers = ['a', 'ab', 'b'];
	const names = ['read', 'read_file', 'write', '*', 'r/ead'];
	const pattern = (): string => pick(['*', 'a*', 'a/*', 'ab/*', 'a/read', 'a/read*', 'b/write', 'b/r/*', 'ab/read_file']);
	const some = <T>(make: () => T): T[] => Array.from({length: below(3)}, make);
	const rule = (): Rule => ({
		...(below(3) > 0 && {servers: some(() => pick(['*', 'a', 'a*', 'ab', 'b']))}),
		...(below(3) > 0 && {tools: some(pattern), prompts: some(pattern), resources: some(pattern)}),
		...(below(6) === 0 && {operations: some(() => pick(['tools/call', 'prompts/get', 'resources/read', 'chat', '*'] as const))}),
	});
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
		const left = (narrowed(right, list, {servers, [field]: entries}) as Record<string, {server: string; name: string}[]>)[field]!;
		for (const {server, name} of entries) {
			const listed = left.some(entry => entry.server === server && entry.name === name);
			// As the two hooks ask, one after the other.
			const isCalled =
				decide(right, ofMcp(call, server, params(name))!).granted &&
				(call !== 'tools/call' || decide(right, {operation: call, server, tool: name, arguments: {}}).granted);
			if (listed !== isCalled) t.fail(`seed ${seed}, round ${round}: ${server}/${name} listed ${listed}, called ${isCalled}`);
		}
	}
	t.pass();
});
