import test from 'ava';
import {pino} from 'pino';
import {decodeHeader, differingParam, encodeHeader, paramHeaders} from '../core/mcp/headers.ts';
import {longestName, prefixed, prefixedUri, serverIn, uriIn} from '../core/mcp/names.ts';
import {openSessions} from '../core/mcp/session.ts';
import {openShared} from '../core/mcp/shared.ts';
import {openKv} from '../core/store/kv.ts';
import {seededRandom} from './helpers/seeded-random.ts';
import {temporaryStore} from './helpers/temporary-store.ts';

test('a name that fits is its server’s and its own; one that does not ends in a digest', t => {
	t.deepEqual([...prefixed('files', ['read_file'])], [['files__read_file', 'read_file']]);
	const [[shown] = []] = [...prefixed('files', ['x'.repeat(100)])];
	t.is(shown!.length, longestName);
	t.regex(shown!, /^files__x+_[0-9a-f]{8}$/);
	t.deepEqual(
		[...prefixed('files', ['rеad']).keys()].map(name => name.slice(0, -8)),
		['files__r_ad_'],
		'a letter of another script',
	);
});

test('two names that look alike are told apart, in whichever order they come', t => {
	for (const [plain, marked] of [
		['READ', 'read'],
		['list_al1', 'list_all'],
		['get-it', 'get_it'],
		['f0o', 'foo'],
		['a', 'а'],
	] as const) {
		const both = prefixed('s', [plain, marked]);
		t.deepEqual([...both.entries()], [...prefixed('s', [marked, plain]).entries()]);
		t.is(both.get(`s__${plain}`), plain);
		t.is(both.size, 2);
		t.is(new Set(both.values()).size, 2);
	}
});

test('a tool that is called what the mark of another one would be leaves both a name', t => {
	const markOf = (names: string[], name: string): string => [...prefixed('s', names)].find(([, own]) => own === name)![0];
	const names = ['act', 'Act'];
	for (let times = 0; times < 5; times++) {
		names.push(markOf(names, 'act').slice('s__'.length));
		const shown = prefixed('s', names);
		t.deepEqual([...shown.values()].sort(), [...names].sort());
		t.deepEqual(shown, new Map([...prefixed('s', [...names].reverse())]));
		for (const plain of names.slice(1)) t.is(shown.get(`s__${plain}`), plain, 'what can keep its name keeps it');
	}
	for (const shown of prefixed('s', names).keys()) t.true(shown.length <= longestName);
});

test('whatever a server calls its tools, each has one name of its own that leads back to it', t => {
	const seed = Date.now() % 1_000_000;
	const {pick, below} = seededRandom(seed);
	for (let round = 0; round < 500; round++) {
		const names = Array.from({length: 1 + below(20)}, () =>
			Array.from({length: 1 + below(70)}, () => pick(['a', 'A', 'l', '1', '0', 'o', '_', '__', '-', '.', ' ', 'é', '😀'])).join(''),
		);
		const shown = prefixed('a-b', names);
		t.deepEqual([...shown.values()].sort(), [...new Set(names)].sort(), `seed ${seed}`);
		for (const name of shown.keys()) {
			if (!/^[A-Za-z0-9_.-]+$/.test(name) || name.length > longestName || serverIn(name) !== 'a-b') t.fail(`seed ${seed}: ${name}`);
		}
	}
});

test('a resource’s address leads back to its server', t => {
	t.deepEqual(uriIn(prefixedUri('files', 'file:///a?b:c')), {server: 'files', uri: 'file:///a?b:c'});
	for (const uri of ['file:///a', 'mcp+files', 'mcp+files:', 'mcp+Files:x', 'xmcp+files:x']) t.is(uriIn(uri), undefined, uri);
});

test('a header says any text, and only in one way', t => {
	for (const text of ['plain', 'a b', ' edge', 'é', '', 'a\nb', '=?base64?YQ==?=']) t.is(decodeHeader(encodeHeader(text)), text);
	t.is(encodeHeader('plain'), 'plain');
	for (const header of ['=?base64?!?=', '=?base64?YQ?=', '=?base64?/w==?=', '=?base64?YQ==']) t.is(decodeHeader(header), undefined, header);
});

test('arguments that a tool wants in headers are compared with them', t => {
	const definition = {
		inputSchema: {properties: {region: {'x-mcp-header': 'Region'}, deep: {properties: {size: {'x-mcp-header': 'Size'}}}}},
	};
	const args = {region: 'eu', deep: {size: 10}};
	t.deepEqual(paramHeaders(definition, args), {'mcp-param-region': 'eu', 'mcp-param-size': '10'});
	t.is(differingParam(definition, args, {'mcp-param-region': 'eu', 'mcp-param-size': '10.0'}), undefined);
	t.is(differingParam(definition, args, {'mcp-param-region': 'us', 'mcp-param-size': '10'}), 'mcp-param-region');
	t.is(differingParam(definition, args, {'mcp-param-region': 'eu'}), 'mcp-param-size');
});

test('a session is known to whoever has the key, for a week, and to its principal at its door alone', async t => {
	let now = 1_800_000_000_000;
	const key = Buffer.alloc(32, 7);
	const ada = {id: 'ada', tenant: 'acme', key: 'key_1', tags: [], accounts: []};
	const shared = openShared(await openKv((await temporaryStore(t)).store), pino({level: 'silent'}));
	t.teardown(shared.close);
	const one = openSessions(key, shared, () => now);
	const another = openSessions(key, shared, () => now);
	const session = one.begin(ada, 'files', '2025-03-26', 5);
	t.is(session.offer, 5);
	t.deepEqual(another.of(session.id, ada, 'files'), session);
	t.is(another.of(session.id, ada, ''), undefined);
	for (const other of [
		{...ada, id: 'bob'},
		{...ada, tenant: 'other'},
		{...ada, key: 'key_2'},
	])
		t.is(another.of(session.id, other, 'files'), undefined);
	t.is(openSessions(Buffer.alloc(32, 8), shared, () => now).of(session.id, ada, 'files'), undefined);
	t.not(one.begin(ada, 'files', '2025-03-26', 5).id, session.id);
	one.end(session);
	t.is(one.of(session.id, ada, 'files'), undefined);
	t.is(another.of(session.id, ada, 'files'), undefined, 'told to the other process');
	const later = one.begin(ada, 'files', '2025-03-26', 5);
	now += 8 * 86_400_000;
	t.is(another.of(later.id, ada, 'files'), undefined);
});
