import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {setTimeout as sleep} from 'node:timers/promises';
import test from 'ava';
import {frame, frameReader} from '../core/plugins/host/frames.ts';
import {answersIn} from '../core/plugins/process/answers.ts';
import {obligingPlugin} from './helpers/obliging-plugin.ts';
import {bodyOf, isolateCode, processWorldOf, type Tenant} from './helpers/process-world.ts';

const code = await isolateCode(obligingPlugin);
const tenant = (name: string, more: Partial<Tenant> = {}): Tenant => ({name, code, ...more});
const saidBy = (answer: Parameters<typeof bodyOf>[0]): unknown => (bodyOf(answer).annotate as {said?: string} | undefined)?.said ?? answer;
const packed = (text: string): string => `${text.length}\n${text}`;

test.serial('members are asked in order, up to the first that refuses', async t => {
	const world = await processWorldOf(t, [tenant('a'), tenant('b', {config: {word: 'fast'}}), tenant('c')]);
	const run = world.run('pre-request', ['a', 'b', 'c']);
	const kinds = async (from: number, model: string) =>
		(await world.tier.ask(run, from, [model, packed('x')])).map(({place, kind}) => `${place}${kind}`).join(' ');
	t.is(await kinds(0, 'slow'), '0A 1A 2A');
	t.is(await kinds(0, 'fast'), '0A 1S');
	t.is(await kinds(2, 'fast'), '2A');
	t.is(await kinds(0, 'silent'), '');
});

test.serial('where everyone is asked, a refusal keeps nobody from being asked', async t => {
	const world = await processWorldOf(t, [tenant('a', {config: {word: 'fast'}}), tenant('b')]);
	const answers = await world.tier.ask(world.run('pre-request', ['a', 'b'], true), 0, ['fast', packed('x')]);
	t.deepEqual(
		answers.map(({kind}) => kind),
		['S', 'A'],
	);
});

test.serial('a value that is missing is undefined on the other side, and text arrives as it left', async t => {
	const world = await processWorldOf(t, [tenant('a')]);
	const [answer] = await world.tier.ask(world.run('post-response', ['a']), 0, [undefined]);
	t.deepEqual(bodyOf(answer), {verdict: 'allow', annotate: {cost: 'missing'}});
	const text = `Grüße 😀 \u0000\u0001\n"\\ ${'x'.repeat(300_000)}`;
	t.is(saidBy(await world.ask('a', 'fast', text)), text);
});

test.serial('hundreds of calls at once each get their own answer', async t => {
	const limits = {timeoutMs: 60_000};
	const world = await processWorldOf(t, [tenant('a', {limits}), tenant('b', {limits})]);
	const texts = Array.from({length: 500}, (_, index) => `call ${index}`);
	const answers = await Promise.all(texts.map((text, index) => world.ask(index % 2 ? 'a' : 'b', 'fast', text)));
	t.deepEqual(answers.map(saidBy), texts);
});

test.serial('a plugin reads its namespace as it is now, and nobody else’s', async t => {
	const world = await processWorldOf(t, [tenant('a', {capabilities: ['kv']}), tenant('b', {capabilities: ['kv']})]);
	await world.put('a', {a: '1'});
	t.is(saidBy(await world.ask('a', 'fast', 'get')), '1');
	t.is(saidBy(await world.ask('b', 'fast', 'get')), 'null');
	await world.put('a', {a: null, c: '2'});
	t.is(saidBy(await world.ask('a', 'fast', 'list')), '[{"key":"c","value":2}]');
	t.is(saidBy(await world.ask('b', 'fast', 'put')), '[{"value":true},"written"]');
	t.deepEqual(world.space('b'), {a: '"written"'});
	t.deepEqual(world.space('a'), {c: '2'});
});

test.serial('logs, counts and requests are carried out by the gateway, with the rights of the plugin', async t => {
	const http = async () => ({status: 200, headers: {}, body: 'hello'});
	const world = await processWorldOf(
		t,
		[tenant('a', {capabilities: ['log', 'metrics', 'http', 'secrets'], secrets: {token: 'hush'}}), tenant('b')],
		{http},
	);
	t.is(saidBy(await world.ask('a', 'fast', 'log')), 'said');
	t.is(saidBy(await world.ask('a', 'fast', 'fetch')), '{"value":{"status":200,"headers":{},"body":"hello"}}');
	t.is(saidBy(await world.ask('a', 'fast', 'secret')), 'hush');
	t.deepEqual(world.logged, [{plugin: 'a', level: 'warn', message: 'look', facts: {n: 1}}]);
	t.deepEqual(world.counted, {seen: 2});
	for (const wanted of ['log', 'secret', 'get']) t.is(bodyOf(await world.ask('b', 'fast', wanted)).code, 'denied');
	t.regex(String(saidBy(await world.ask('b', 'fast', 'fetch'))), /"code":"denied"/);
});

test.serial('a plugin finds nothing of Node around it', async t => {
	const world = await processWorldOf(t, [tenant('a')]);
	t.is(saidBy(await world.ask('a', 'fast', 'process')), Array.from({length: 5}, () => 'undefined').join());
});

test.serial('actions answer, refuse, or fail; a code that there is not is plugin_failed', async t => {
	const world = await processWorldOf(t, [tenant('a', {capabilities: ['kv'], limits: {timeoutMs: 60_000, actionMs: 100}})]);
	const codeOf = (action: string, input = '{}') =>
		world.tier.act('a', action, input, '{"actor":"ada"}').then(
			value => value,
			error => (error as {code: string}).code,
		);
	t.is(await codeOf('add', '{"n":2}'), '3');
	t.deepEqual(world.space('a'), {sum: '2'});
	t.is(await codeOf('add', '{"n":"2"}'), 'invalid_request');
	t.is(await codeOf('nothing'), 'not_found');
	t.is(await codeOf('refuse'), 'conflict');
	t.is(await codeOf('invent'), 'plugin_failed');
	t.is(await codeOf('never'), 'plugin_failed');
});

test.serial('an action may take longer than a hook', async t => {
	const http = () => sleep(300, {status: 200, headers: {}, body: ''});
	const limits = {timeoutMs: 50, actionMs: 60_000};
	const world = await processWorldOf(t, [tenant('a', {capabilities: ['http'], limits})], {http});
	t.is(await world.tier.act('a', 'fetch', '{}', '{}'), '200');
});

test.serial('each says of itself what it defines, or what is wrong with its config', async t => {
	const world = await processWorldOf(t, [tenant('a'), tenant('b', {config: {word: 3}}), tenant('c', {code: 'sallyportPlugin = {}'})]);
	const [a, b, c] = world.tier.loaded;
	t.like(a, {hooks: ['pre-request', 'post-response'], issues: []});
	t.like(b, {issues: [{path: ['word']}]});
	t.true(c !== undefined && 'failure' in c);
});

test.serial('after it was closed, whoever asks is told that there is no answer', async t => {
	const world = await processWorldOf(t, [tenant('a')]);
	const asked = world.ask('a', 'fast', 'x');
	await world.close();
	t.is((await asked)?.kind, 'F');
	t.is((await world.ask('a', 'fast', 'x'))?.kind, 'F');
});

test.serial('plugin hosts end when their gateway is killed', async t => {
	const gateway = spawn(process.execPath, ['--input-type=module', '-'], {stdio: ['pipe', 'pipe', 'inherit']});
	t.teardown(() => gateway.kill('SIGKILL'));
	const place = JSON.stringify(new URL('./helpers/', import.meta.url).href);
	gateway.stdin.end(`
		const {isolateCode, processWorld} = await import(${place} + 'process-world.ts');
		const {obligingPlugin} = await import(${place} + 'obliging-plugin.ts');
		const {readdirSync, readFileSync} = await import('node:fs');
		const code = await isolateCode(obligingPlugin);
		await processWorld([{name: 'a', code}, {name: 'b', code}]);
		const parentOf = pid => { try { return readFileSync('/proc/' + pid + '/stat', 'latin1').split(') ')[1].split(' ')[1]; } catch { return ''; } };
		const pids = readdirSync('/proc').filter(pid => parentOf(pid) === String(process.pid) && readFileSync('/proc/' + pid + '/cmdline', 'latin1').includes('--permission'));
		console.log(JSON.stringify(pids));
	`);
	const [line] = await once(gateway.stdout.setEncoding('utf8'), 'data');
	const pids = JSON.parse(String(line)) as string[];
	if (process.platform === 'linux') t.true(pids.length > 0);
	gateway.kill('SIGKILL');
	const gone = (pid: string): boolean => {
		try {
			return !process.kill(Number(pid), 0);
		} catch {
			return true;
		}
	};
	for (let tries = 0; tries < 750 && !pids.every(gone); tries++) await sleep(20);
	t.true(pids.every(gone));
});

test.serial('frames come out as they went in, however the bytes are cut', t => {
	const texts = ['', 'a', 'é😀', 'x'.repeat(100_000), '{}'];
	const bytes = Buffer.concat(texts.map((text, index) => frame(index % 2 ? 'Q' : 'D', text)));
	for (const step of [1, 3, 1_000, bytes.length]) {
		const got: string[] = [];
		const read = frameReader(
			(kind, text) => void got.push(`${kind}${text}`),
			why => t.fail(why),
		);
		for (let at = 0; at < bytes.length; at += step) read(bytes.subarray(at, at + step));
		t.deepEqual(
			got,
			texts.map((text, index) => `${index % 2 ? 'Q' : 'D'}${text}`),
		);
	}
});

test.serial('bytes that are no frame end the reading', t => {
	const heard: string[] = [];
	const read = frameReader(
		kind => void heard.push(kind),
		why => void heard.push(why),
	);
	read(Buffer.from([0xff, 0xff, 0xff, 0xff, 65]));
	read(frame('Q', 'x'));
	t.deepEqual(heard, ['a frame of 4294967295 bytes']);
});

test.serial('an answer outside the places asked, out of order, or of no known kind is none', t => {
	t.deepEqual(answersIn('1\u0000A{}\u00012\u0000S{"verdict":"deny"}', 1, 3), [
		{place: 1, kind: 'A', body: '{}'},
		{place: 2, kind: 'S', body: '{"verdict":"deny"}'},
	]);
	for (const text of [
		'0\u0000A{}',
		'3\u0000A{}',
		'2\u0000A{}\u00011\u0000A{}',
		'1\u0000P',
		'1A{}',
		'x\u0000A{}',
		'1.5\u0000A{}',
		'\u0000A{}',
	]) {
		t.is(answersIn(text, 1, 3), undefined, JSON.stringify(text));
	}
});
