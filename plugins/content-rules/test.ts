import test, {type ExecutionContext} from 'ava';
import {startPlugin} from '../../plugin-sdk/testing.ts';

const start = async (t: ExecutionContext, config: Record<string, unknown>) => {
	const plugin = await startPlugin(import.meta.url, {config});
	t.teardown(plugin.close);
	return plugin;
};

const phrases = (more: object) => ({phrases: [{name: 'code-name', phrases: ['project falcon'], ...more}]});
const ask = {operation: 'chat', outcome: 'ok'} as const;

test('a request that holds a phrase is refused, and says which rule did it, and not what it found', async t => {
	const plugin = await start(t, phrases({category: 'confidential', severity: 'high'}));
	t.is(await plugin.ask('pre-request', {operation: 'chat', text: ['the project'], channels: ['user']}), undefined);
	const refused = await plugin.ask('pre-request', {operation: 'chat', text: ['hello', 'of Project-Falcon'], channels: ['system', 'user']});
	t.like(refused, {verdict: 'deny', code: 'content_blocked', rule: 'code-name'});
	t.deepEqual(refused?.findings, [
		{
			detector: 'code-name',
			category: 'confidential',
			severity: 'high',
			score: 1,
			channel: 'user',
			span: {text: 1, start: 3, end: 17},
			action: 'deny',
		},
	]);
	t.false(JSON.stringify(refused).toLowerCase().includes('falcon'));
});

test('each action does what it says', async t => {
	const given = {...ask, text: ['about project falcon now'], channels: ['assistant'], answers: [0]} as const;
	const answer = async (action: string) => (await start(t, phrases({action}))).ask('post-response', given);
	t.like(await answer('mask'), {verdict: 'rewrite', patch: {text: {0: 'about [CODE-NAME] now'}}});
	t.like(await answer('strip'), {verdict: 'rewrite', patch: {text: {0: 'about  now'}}});
	t.like(await answer('flag'), {verdict: 'allow'});
	t.like(await answer('taint'), {verdict: 'allow'});
	t.like(await answer('deny'), {verdict: 'deny', code: 'content_blocked'});
});

test('a rule is for the places and the channels that it names, and for no other', async t => {
	const plugin = await start(t, phrases({on: ['tool-results'], action: 'mask'}));
	const text = ['project falcon', 'project falcon', 'project falcon'];
	const channels = ['user', 'tool-result', 'tool-description'] as const;
	t.like(await plugin.ask('pre-request', {operation: 'chat', text, channels}), {patch: {text: {1: '[CODE-NAME]'}}});
	const system = await start(t, phrases({channels: ['system'], action: 'mask'}));
	t.is(await system.ask('pre-request', {operation: 'chat', text: ['project falcon'], channels: ['user']}), undefined);
	t.truthy(await system.ask('pre-request', {operation: 'chat', text: ['project falcon'], channels: ['system']}));
});

test('a stream is masked as it flows, and what an answer has to be is asked of models alone', async t => {
	const plugin = await start(t, {...phrases({action: 'mask'}), answers: {json: true}});
	const window = {channel: 0, text: '{"a": "of project fal', final: false};
	const first = await plugin.ask('post-response', {...ask, window, channels: ['assistant'], answers: [0]});
	t.like(first, {verdict: 'allow', clear: '{"a": "of '.length});
	const rest = {channel: 0, text: 'project falcon', final: false};
	const second = await plugin.ask('post-response', {
		...ask,
		window: {...rest, text: 'project falcon"'},
		channels: ['assistant'],
		answers: [0],
		carried: String(first?.carry),
	});
	t.like(second, {verdict: 'rewrite', patch: {window: '[CODE-NAME]"'}});
	const third = await plugin.ask('post-response', {
		...ask,
		window: {channel: 0, text: ' and so on', final: true},
		channels: ['assistant'],
		answers: [0],
		carried: String(second?.carry),
	});
	t.like(third, {verdict: 'deny', rule: 'json'});
	t.is(
		await plugin.ask('post-response', {
			operation: 'tools/call',
			outcome: 'ok',
			text: ['plain words'],
			channels: ['tool-result'],
			answers: [],
		}),
		undefined,
	);
	t.like(await plugin.ask('post-response', {...ask, text: ['plain words'], channels: ['assistant'], answers: [0]}), {
		verdict: 'deny',
		rule: 'json',
	});
});

const mistakes: readonly (readonly [config: object, said: RegExp])[] = [
	[{patterns: [{name: 'x', pattern: '(a)\\1'}]}, /patterns\.0\.pattern: The pattern is refused: a reference to a group/],
	[{patterns: [{name: 'x', pattern: 'a(?=b)'}]}, /looking ahead or behind/],
	[{patterns: [{name: 'x', pattern: 'a*'}]}, /write \+ in the place of \*/],
	[{patterns: [{name: 'X y', pattern: 'a'}]}, /patterns\.0\.name: a name is/],
	[{links: {hosts: ['https://good.example']}}, /links\.hosts\.0: a host is/],
	[{scripts: {allow: ['Klingon']}}, /scripts\.allow\.0: this is no script/],
	[
		{answers: {schema: {type: 'object', properties: {a: {format: 'email'}}}}},
		/answers\.schema\.properties\.a\.format: .*"format" is not checked here/,
	],
	[{phrases: [{name: 'x', phrases: ['a'], action: 'hold'}]}, /phrases\.0\.action/],
	[{topics: []}, /topics/],
];
for (const [config, said] of mistakes)
	test(`the boot says where it is, and what to write: ${JSON.stringify(config)}`, async t => {
		const error = await t.throwsAsync(startPlugin(import.meta.url, {config: config as Record<string, unknown>}));
		t.regex(error!.message, said);
	});

test('thousands of findings are one verdict, and what was done is told first', async t => {
	const plugin = await start(t, {
		phrases: [
			{name: 'told', phrases: ['x'], action: 'flag'},
			{name: 'hidden', phrases: ['y'], action: 'mask'},
		],
	});
	const answer = await plugin.ask('post-response', {...ask, text: [`${'x '.repeat(3_000)}y`], channels: ['assistant'], answers: [0]});
	const findings = answer?.findings as {detector: string}[];
	t.is(findings.length, 64);
	t.is(findings[0]?.detector, 'hidden');
});

test('100 KB pass in the real sandbox, with 5,000 phrases and rules of every kind', async t => {
	const plugin = await start(t, {
		phrases: [{name: 'many', phrases: Array.from({length: 5_000}, (_, index) => `company ${index.toString(36)}`), action: 'flag'}],
		patterns: [{name: 'staff', pattern: '\\bEMP-\\d{4}\\b', action: 'mask'}],
		links: {hosts: ['good.example'], on: ['request']},
		scripts: {allow: ['Latin'], on: ['request']},
	});
	const text = 'EMP-1234 and nobody else; see https://good.example/docs. '.repeat(1_800);
	t.like(await plugin.ask('pre-request', {operation: 'chat', text: [text], channels: ['user']}), {verdict: 'rewrite'});
});
