import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import type {RecordedFinding} from '../schemas/record.ts';
import {calls} from './helpers/admins.ts';
import {sallyport} from './helpers/cli.ts';
import {freshFolder} from './helpers/config-file.ts';
import {falconGuard, word} from './helpers/falcon-guard.ts';
import {startGateway} from './helpers/gateway.ts';
import {writePlugin} from './helpers/inline-world.ts';
import {modelRecords} from './helpers/sdks.ts';

type Tried = {
	allowed: boolean;
	decidedBy?: {plugin?: string; rule?: string; code: string};
	checkedBy: string[];
	guards: {plugin: string; hook: string; verdict: string; mode?: string}[];
	findings: RecordedFinding[];
	text?: string;
	body?: {messages: {content: string}[]};
	arguments?: object;
	code?: string;
	status: number;
};

const channels = ['user', 'system', 'assistant', 'tool-result', 'tool-description', 'tool-arguments'] as const;

const start = async (t: ExecutionContext, ...guards: Awaited<ReturnType<typeof falconGuard>>[]) => {
	const budgets = {use: 'budgets', config: {window: 'month' as const, limitUsd: {'*': 0.000_001}}};
	const gateway = await startGateway(t, {plugins: [{use: 'virtual-keys'}, {use: 'grants', config: {allow: {}}}, budgets, ...guards]});
	const tried = async (input: object, key?: string): Promise<Tried> => {
		const {status, body} = await calls(gateway)<Tried>('/admin/guards/try', input, {key});
		return {...body, status};
	};
	return {gateway, tried};
};

test('a text is shown to the guards in the channel it would come from, and nothing is sent', async t => {
	const {gateway, tried} = await start(t, await falconGuard(t));
	for (const channel of channels) {
		const flagged = await tried({text: `the ${word}`, channel});
		t.true(flagged.allowed, channel);
		t.is(flagged.text, `the ${word}`, channel);
		t.true(flagged.findings.length > 0, channel);
		for (const finding of flagged.findings) t.like(finding, {plugin: 'falcons', channel, action: 'flag'}, channel);

		const masked = await tried({text: `mask the ${word}`, channel});
		t.is(masked.text, 'mask the [BIRD]', channel);
		t.is(masked.findings[0]!.action, 'mask');

		const refused = await tried({text: `refuse the ${word}`, channel});
		t.like(refused, {status: 200, allowed: false, checkedBy: ['falcons']}, channel);
		t.like(refused.decidedBy, {plugin: 'falcons', code: 'content_blocked', rule: 'birds'}, channel);
		t.is(refused.text, undefined, channel);
	}
	t.is(gateway.upstream.requests.length, 0);
	t.deepEqual(
		(await modelRecords(gateway)).filter(({surface}) => surface !== 'admin'),
		[],
	);
	t.false((await gateway.gateway.metrics.text()).includes('sallyport_findings_total{'), 'what is tried is not counted');
});

test('the body of a request and the call of a tool come back as they would go on', async t => {
	const {tried} = await start(t, await falconGuard(t));
	for (const model of ['fast', 'sonnet']) {
		const body = {model, max_tokens: 10, messages: [{role: 'user', content: `mask the ${word}`}]};
		const {body: left, findings} = await tried({body});
		t.deepEqual(left, {...body, messages: [{role: 'user', content: 'mask the [BIRD]'}]});
		t.like(findings[0], {hook: 'pre-request', span: {text: 0, start: 9, end: 20}});
	}
	const called = await tried({tool: {server: 'files', name: 'write', arguments: {path: '/a', text: `mask ${word}`}}});
	t.deepEqual(called.arguments, {path: '/a', text: 'mask [BIRD]'});
	t.deepEqual(
		called.guards.map(({hook}) => hook),
		['pre-request', 'on-tool-call'],
	);
});

test('a guard that observes, fails or is out of scope has not checked anything', async t => {
	const folder = await writePlugin(freshFolder(t), {
		name: 'breaks',
		reads: {'pre-request': ['text[]']},
		hooks: `hooks: {'pre-request': () => { throw new Error('broken'); }}`,
	});
	const observing = await falconGuard(t, {mode: 'observe'}, 'watches');
	const elsewhere = await falconGuard(t, {when: {tenant: 'other'}}, 'elsewhere');
	const {tried} = await start(t, observing, elsewhere, {use: folder});
	const {allowed, decidedBy, checkedBy, guards, findings} = await tried({text: `refuse the ${word}`});
	t.false(allowed);
	t.like(decidedBy, {plugin: 'breaks', code: 'plugin_failed'});
	t.deepEqual(checkedBy, ['watches']);
	t.like(guards, [
		{plugin: 'watches', verdict: 'deny', mode: 'observe'},
		{plugin: 'elsewhere', verdict: 'not asked'},
		{plugin: 'breaks', verdict: 'failed'},
	]);
	t.like(findings, [{plugin: 'watches', mode: 'observe'}]);
	t.deepEqual(
		(await tried({text: `refuse the ${word}`, channel: 'assistant', principal: {tenant: 'other'}})).decidedBy?.plugin,
		'elsewhere',
	);
});

test('a guard that is kept out of real exchanges has not checked what is tried, though it would answer here', async t => {
	const folder = await writePlugin(freshFolder(t), {
		name: 'loops',
		reads: {'pre-request': ['text[]']},
		hooks: `hooks: {'pre-request': ({text}) => { while (text[0].startsWith('loop')); }}`,
		limits: {cpuMs: 20, timeoutMs: 100},
	});
	const gateway = await startGateway(t, {plugins: [{use: folder}], anonymous: true});
	const tried = async (input: object) => (await calls(gateway)<Tried>('/admin/guards/try', input)).body;
	t.deepEqual((await tried({text: 'hello'})).checkedBy, ['loops']);
	for (let turn = 0; turn < 3; turn++) {
		const body = JSON.stringify({model: 'fast', messages: [{role: 'user', content: 'loop'}]});
		const response = await fetch(`${gateway.url}/v1/chat/completions`, {
			method: 'POST',
			headers: {'content-type': 'application/json'},
			body,
		});
		t.is(response.status, 503);
	}
	const {checkedBy, guards} = await tried({text: 'hello'});
	t.deepEqual(checkedBy, []);
	t.true('quarantined' in guards[0]!);
});

test('whoever tries is on the record, and neither what was tried nor a digest of it is anywhere', async t => {
	const {gateway, tried} = await start(t, await falconGuard(t));
	const {findings} = await tried({text: `refuse the ${word}`});
	t.false(JSON.stringify(findings).includes('digest'), 'or a guess could be compared with a record');
	const records = await gateway.journal();
	t.like(records.findLast(({kind}) => kind === 'admin')?.event, {
		what: 'guards tried',
		actor: 'first-owner',
		allowed: false,
		checkedBy: ['falcons'],
		findings: 1,
	});
	t.false(JSON.stringify(records).includes('4711'));
	t.false(gateway.logged().includes('4711'));
});

test('auditors may try, and an admin of one tenant only as that tenant', async t => {
	const {gateway, tried} = await start(t, await falconGuard(t));
	const keyOf = async (input: object) => String((await calls(gateway)('/admin/admins', input)).body.key);
	const auditor = await keyOf({name: 'a', role: 'auditor'});
	t.is((await tried({text: 'hello'}, auditor)).status, 200);
	const confined = await keyOf({name: 'b', role: 'admin', tenant: 'acme'});
	t.is((await tried({text: 'hello'}, confined)).status, 200);
	t.is((await tried({text: 'hello', principal: {tenant: 'other'}}, confined)).code, 'denied');
	t.is((await tried({text: 'hello'}, 'adm_nobody')).status, 401);
	for (const input of [{}, {text: 'a', body: {}}, {body: {}, channel: 'user'}, {text: 'a', channel: 'else'}, {text: 'a', model: 'none'}])
		t.true([400, 404].includes((await tried(input)).status), JSON.stringify(input));
	t.true((await tried({text: `mask ${word}`})).allowed, 'and goes on after that');
});

test('a gateway without guards says that nobody has looked', async t => {
	const {tried} = await start(t);
	t.like(await tried({text: 'hello'}), {allowed: true, checkedBy: [], guards: []});
});

test.serial('guards are tried from the command line', async t => {
	const {gateway} = await start(t, await falconGuard(t));
	const env = {SALLYPORT_URL: gateway.url, SALLYPORT_ADMIN_KEY: gateway.adminKey!};
	const run = (args: string[], input?: string) => sallyport(['guards', 'try', ...args], {cwd: gateway.folder, env, input});
	const refused = await run([`refuse the ${word}`, '--channel', 'tool-result']);
	t.is(refused.code, 0, refused.stderr);
	t.regex(refused.stdout, /^refused: content_blocked {2}falcons {2}birds/);
	t.regex(refused.stdout, /code-name\/birds {2}high 1 {2}in tool-result {2}text 0 11–22 {2}deny/);
	t.regex(
		(await run(['--file', '-'], `mask the ${word}`)).stdout,
		/^passes\nchecked by: falcons\n[\s\S]*what goes on:\nmask the \[BIRD\]\n$/,
	);
	await writeFile(join(gateway.folder, 'body.json'), JSON.stringify({model: 'fast', messages: [{role: 'user', content: `mask ${word}`}]}));
	t.regex((await run(['--body', 'body.json', '--json'])).stdout, /mask \[BIRD\]/);
	t.regex((await run(['--tool', 'write', '--arguments', '{"text": "hello"}'])).stdout, /^passes/);
	t.regex((await run(['--tool', 'write', '--arguments', '[1]'])).stderr, /It is not a JSON object/);
	for (const [args, said, input] of [
		[['--body', '-'], /^The standard input is no body of a request\. It is not JSON: .+\n$/, '{"model": '],
		[['--body', '-'], /^The standard input is no body of a request\. It is not a JSON object\.\n$/, '[1]'],
		[['--file', 'nowhere.txt'], /^There is no file nowhere\.txt\.\n$/],
	] as const) {
		const {code, stderr} = await run([...args], input);
		t.is(code, 1);
		t.regex(stderr, said);
	}
});
