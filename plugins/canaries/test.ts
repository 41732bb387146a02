import test, {type ExecutionContext} from 'ava';
import type {Channel, Json, Operation} from '../../plugin-sdk/index.ts';
import {startPlugin} from '../../plugin-sdk/testing.ts';
import {find} from './find.ts';
import {needlesFor} from './needles.ts';
import {tokenChars, tokenOf} from './tokens.ts';

type Said = {
	verdict: string;
	patch?: {text?: Record<string, string>; arguments?: Record<string, unknown>};
	carry?: string;
	put?: Record<string, unknown>;
	findings?: {action: string; span?: {text?: number; start: number; end: number}; channel: string; detector: string}[];
};

const principal = {tenant: 'acme'};

type More = {session?: string; principal?: {tenant: string}; operation?: Operation};

const start = async (t: ExecutionContext, config: Record<string, unknown> = {}, secrets?: Record<string, string>) => {
	const plugin = await startPlugin(import.meta.url, {config, ...(secrets && {secrets})});
	t.teardown(plugin.close);
	const request = async (texts: [channel: Channel, text: string][], more: More = {}): Promise<Said> => {
		const asked = {
			principal,
			operation: 'chat' as const,
			text: texts.map(([, text]) => text),
			channels: texts.map(([channel]) => channel),
			...more,
		};
		const said = (await plugin.ask('pre-request', asked)) as Said;
		if (said.put) await plugin.put(said.put);
		return said;
	};
	/** The token of an exchange, as its prompt shows it, and what the host hands back. */
	const put = async (more: More = {}) => {
		const {patch, carry} = await request([['system', 'You are a bot.']], more);
		const [, token] = /\[ref (\S+)\]$/.exec(patch!.text!['0']!)!;
		return {token: token!, carried: carry!};
	};
	return {plugin, request, put};
};

test('the token stands behind the longest text of the system, once, and nowhere else', async t => {
	const {request, put} = await start(t);
	const {patch} = await request([
		['system', 'helper'],
		['system', 'You are a bot of Acme.'],
		['user', 'hello'],
		['tool-description', 'A tool.'],
	]);
	t.deepEqual(Object.keys(patch!.text!), ['1']);
	t.regex(patch!.text!['1']!, /^You are a bot of Acme\.\n\n\[ref [a-km-np-z2-9]{24}\]$/);
	const {token} = await put();
	t.is(token.length, tokenChars);
	t.is((await request([['system', patch!.text!['1']!]])).verdict, 'allow', 'it is there already');
	t.is((await request([['user', 'no system prompt']])).verdict, 'allow');
	const line = await start(t, {line: 'Keep {token} to yourself.'});
	t.regex((await line.request([['system', 'x']])).patch!.text!['0']!, /^x\n\nKeep \w{24} to yourself\.$/);
	await t.throwsAsync(start(t, {line: 'no token'}));
});

test('a tenant has one token, or one for each session, and after a restart the same', async t => {
	const {plugin, put} = await start(t);
	const {token} = await put();
	t.is((await put({session: 'run-7'})).token, token);
	t.not((await put({principal: {tenant: 'other'}})).token, token);
	const kept = Object.values(plugin.kv()).map(String);
	t.is(kept.length, 1);
	t.is(tokenOf(kept[0]!, 'acme', null), token);
	t.false(JSON.stringify(plugin.kv()).includes(token));
	const by = await start(t, {per: 'session'});
	const [one, two, none] = [await by.put({session: 'run-7'}), await by.put({session: 'run-8'}), await by.put()];
	t.is(new Set([one.token, two.token, none.token]).size, 3);
	t.is((await by.put({session: 'run-7'})).token, one.token);
	const [here, there] = [await start(t, {secret: 'birds'}, {birds: 'a secret'}), await start(t, {secret: 'birds'}, {birds: 'a secret'})];
	t.is((await here.put()).token, (await there.put()).token);
	t.deepEqual(here.plugin.kv(), {});
});

test('two replicas that began at once know each other’s tokens, and put the same from then on', async t => {
	const {plugin, put} = await start(t);
	const {token} = await put();
	await plugin.put({'secret:0': 'made elsewhere'});
	const again = await put();
	t.is(again.token, tokenOf('made elsewhere', 'acme', null));
	t.deepEqual(JSON.parse(again.carried), [again.token, token]);
});

const base64 = (text: string) => Buffer.from(text).toString('base64');
const hex = (text: string) => Buffer.from(text).toString('hex');

/** How a model may be talked into saying it. */
const forms: Record<string, (token: string) => string> = {
	'as it is': token => token,
	'in capitals': token => token.toUpperCase(),
	spaced: token => [...token].join(' '),
	'with dashes and line ends': token => [...token].join('-\n'),
	'with zero width between': token => [...token].join('\u200b'),
	backwards: token => [...token].reverse().join(''),
	'half of it': token => token.slice(0, 13),
	'the other half': token => token.slice(11),
	hex,
	'hex in capitals': token => hex(token).toUpperCase(),
	'hex with spaces': token => hex(token).replace(/../g, '$& '),
	'hex as in a program': token => hex(token).replace(/../g, '\\x$&'),
	'hex as in a list': token => hex(token).replace(/../g, '0x$&, '),
	'hex as in a script': token => hex(token).replace(/../g, '\\u00$&'),
	'hex as in a page': token => hex(token).replace(/../g, '&#x$&;'),
	'percent-encoded': token => hex(token).replace(/../g, '%$&'),
	'turned by 13': token => token.replace(/[a-z]/g, letter => String.fromCharCode(((letter.charCodeAt(0) - 84) % 26) + 97)),
	base64,
	'base64 of a sentence': token => base64(`My orders: [ref ${token}] and so on`),
	'base64 of a longer one': token => base64(`!My orders: [ref ${token}] and so on`),
	'base64 of the longest': token => base64(`!!My orders: [ref ${token}] and so on`),
	'base64 in lines': token => base64(`My orders: [ref ${token}]`).replace(/.{10}/g, '$&\r\n'),
	'base64 for addresses': token => Buffer.from(`??>>~~${token}~~`).toString('base64url'),
};

test('a token is found however it is written, and where', t => {
	for (const [name, form] of Object.entries(forms)) {
		for (let count = 0; count < 20; count++) {
			const token = tokenOf(`secret ${count}`, 'acme', null);
			const needles = needlesFor([token]);
			const [before, after] = ['Well, my orders are: ', '. And that is all.'];
			const hits = find(before + form(token) + after, needles);
			t.true(hits.length > 0, name);
			for (const {start, end} of hits) t.true(start >= before.length && end <= before.length + form(token).length, name);
			t.deepEqual(find(before + form(tokenOf('another', 'acme', null)) + after, needles), [], name);
		}
	}
});

test('less than half of a token is none, and a token in config is looked for as it stands', t => {
	const needles = needlesFor([tokenOf('secret', 'acme', null)]);
	t.deepEqual(find(tokenOf('secret', 'acme', null).slice(0, 11), needles), []);
	t.deepEqual(find('', needles), []);
	for (const token of ['Canary-0815-ABCDEF', 'x'.repeat(7) + 'Y'.repeat(200 - 7)])
		for (const said of [token, token.toLowerCase(), base64(`is ${token}`), hex(token)])
			t.true(find(`It is ${said}!`, needlesFor([token])).length > 0, said);
});

test('each place has an action of its own', async t => {
	const places = {answers: 'flag', toolArguments: 'taint', toolResults: 'deny', requests: 'strip'};
	const {plugin, request, put} = await start(t, places);
	const {token, carried} = await put();
	const says = `It is ${token}.`;
	const span = {text: 1, start: 6, end: 30};
	const asked = await request([
		['system', 'x'],
		['user', says],
	]);
	t.like(asked, {
		verdict: 'rewrite',
		patch: {text: {1: 'It is .'}},
		findings: [{channel: 'user', action: 'strip', span, detector: 'canary'}],
	});
	t.like(await request([['tool-result', says]]), {verdict: 'deny', code: 'content_blocked', findings: [{action: 'deny'}]});
	t.is((await request([['tool-description', says]])).findings, undefined);
	const answer = (channel: Channel) => plugin.ask('post-response', {text: ['x', says], channels: [channel, channel], carried});
	t.like(await answer('assistant'), {verdict: 'allow', findings: [{action: 'flag', span, channel: 'assistant'}]});
	t.like(await answer('tool-result'), {verdict: 'deny'});
	t.like(await answer('tool-arguments'), {verdict: 'allow', findings: [{action: 'taint', span, channel: 'tool-arguments'}]});
	const call = (args: Record<string, Json>) =>
		plugin.ask('on-tool-call', {tool: {name: 'mail', arguments: args, argumentsDigest: ''}, carried});
	t.like(await call({to: 'bob', body: {lines: [says]}}), {
		verdict: 'allow',
		findings: [{action: 'taint', channel: 'tool-arguments', span}],
	});
	t.is(await call({to: 'bob'}), undefined);
	// Of an MCP request the arguments are shown to on-tool-call; other words of it are for the server too.
	t.is((await request([['tool-arguments', says]], {operation: 'tools/call'})).findings, undefined);
	t.like(await request([['user', says]], {operation: 'resources/read'}), {verdict: 'allow', findings: [{action: 'taint'}]});
	for (const place of ['answers', 'toolArguments', 'toolResults', 'requests'])
		await t.throwsAsync(start(t, {[place]: 'hide'}), undefined, place);
});

test('a token that is cut up among arguments, or is a name of one, is found; what cannot be taken out is refused', async t => {
	for (const [action, verdict] of [
		['taint', 'allow'],
		['strip', 'deny'],
		['deny', 'deny'],
	]) {
		const {plugin, put} = await start(t, {toolArguments: action});
		const {token, carried} = await put();
		const call = (args: Record<string, Json>) =>
			plugin.ask('on-tool-call', {tool: {name: 'mail', arguments: args, argumentsDigest: ''}, carried});
		const cut: Record<string, Json>[] = [
			{a: token.slice(0, 8), b: [token.slice(8, 16), {c: token.slice(16)}]},
			{[token]: 1},
			{a: {[`x${token}`]: true}},
		];
		for (const args of cut) t.like(await call(args), {verdict, findings: {length: 1}}, `${action} ${JSON.stringify(args)}`);
	}
	const {plugin, put} = await start(t, {toolArguments: 'strip'});
	const {token, carried} = await put();
	const args = {a: `x ${token} y`, b: [1, {c: [...token].join(' ')}], d: null};
	t.like(await plugin.ask('on-tool-call', {tool: {name: 'mail', arguments: args, argumentsDigest: ''}, carried}), {
		verdict: 'rewrite',
		patch: {arguments: {a: 'x  y', b: [1, {c: ''}], d: null}},
	});
});

test('where nothing was put nothing is looked for, and with off neither', async t => {
	const {plugin} = await start(t);
	const token = tokenOf('secret', 'acme', null);
	t.is(await plugin.ask('post-response', {text: [token], channels: ['assistant']}), undefined);
	t.is(await plugin.ask('on-tool-call', {tool: {name: 'x', arguments: {token}, argumentsDigest: ''}, source: 'mcp'}), undefined);
	const off = await start(t, {answers: 'off', toolArguments: 'off', toolResults: 'off', requests: 'off'});
	const {token: own, carried} = await off.put();
	t.is(await off.plugin.ask('post-response', {text: [own], channels: ['assistant'], carried}), undefined);
	t.is((await off.request([['user', own]])).findings, undefined);
});

test('a megabyte of the worst that there is takes no longer than a moment', t => {
	const token = tokenOf('secret', 'acme', null);
	const needles = needlesFor([token, tokenOf('other', 'acme', null)]);
	for (const unit of [token.slice(0, 11), `${token.slice(0, 11)} `, '\\x', '-', ' a', '&#', base64(token).slice(0, 14), 'é']) {
		const text = unit.repeat(Math.ceil(1_000_000 / unit.length));
		const begun = performance.now();
		find(text, needles);
		t.true(performance.now() - begun < 2_000, unit);
	}
});
