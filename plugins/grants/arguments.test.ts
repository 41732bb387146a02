import test, {type ExecutionContext} from 'ava';
import {startPlugin} from '../../plugin-sdk/testing.ts';
import {liesWithin} from './paths.ts';

const start = async (t: ExecutionContext, rules: object) => {
	const allow = {'*': {servers: ['*'], tools: ['*'], arguments: {'files/*': rules}}};
	const plugin = await startPlugin(import.meta.url, {config: {allow}});
	t.teardown(plugin.close);
	return async (given: object, tool = 'read_file', server = 'files'): Promise<string | true> => {
		const said = (await plugin.act('explain', {tenant: 'acme', server, tool, arguments: given})) as {granted: boolean; message: string};
		return said.granted || said.message;
	};
};

test('a path lies within its root, or it is refused, however it is written', t => {
	for (const [root, inside] of [
		['/srv/share', ['/srv/share', '/srv/share/', '/srv/share/a.txt', '/srv/share/./a//b', '/srv//share/..a', '/srv/share/...']],
		['/srv/share/', ['/srv/share', '/srv/share/a']],
		['/', ['/', '/etc']],
		['docs', ['docs', 'docs/a']],
		['C:\\share', ['C:\\share', 'C:\\share\\a', 'C:/share/a']],
		['https://api.example.com/repos', ['https://api.example.com/repos', 'https://api.example.com/repos/1?x=1']],
	] as const)
		for (const path of inside) t.true(liesWithin(path, root), `${path} in ${root}`);

	for (const [root, outside] of [
		[
			'/srv/share',
			[
				...['/srv', '/srv/shared', '/srv/share/../etc', '/srv/share/a/../../etc', '/srv/share/..', '/srv/share/.. /etc', 'srv/share/a'],
				...['./srv/share', '', ' /srv/share/a', '/SRV/share/a', '\\srv\\share\\a', '/srv/share\\..\\..\\etc', '/srv/share/a\u0000/../..'],
				...['/srv/share/%2e%2e/etc', '/srv/share/..%2fetc', '/srv/share/%5C', '//srv/share/a', 'file:///srv/share/a', '~/srv/share'],
				...['/srv/share/a\n', '/proc/self/cwd/srv/share'],
				...[
					'/srv/share/%252e%252e/etc',
					'/srv/share/%c0%ae%c0%ae/etc',
					'/srv/share/..;/etc',
					'/srv/share/．．/etc',
					'/srv/share/..／..／etc',
					'/srv/share/‥/etc',
				],
			],
		],
		['/', ['etc', '../etc', '//host/share', '']],
		['C:\\share', ['C:\\', 'C:\\share\\..\\x', 'C:/share/../x', 'C:\\share\\.. \\x', 'C:\\share\\a.', 'D:\\share', '\\\\host\\share']],
		[
			'https://api.example.com/repos',
			[
				...[
					'https://api.example.com',
					'https://api.example.com.evil/repos',
					'https://api.example.com@evil/repos',
					'http://api.example.com/repos',
				],
				...['https://api.example.com/repos/../keys', 'https://api.example.com/repos?/../x', 'HTTPS://api.example.com/repos'],
			],
		],
	] as const)
		for (const path of outside) t.false(liesWithin(path, root), `${JSON.stringify(path)} in ${root}`);
});

test('an argument with a rule has to be there, of the right kind, and itself', async t => {
	const may = await start(t, {path: {within: ['/srv/share', '/tmp']}});
	t.true(await may({path: '/tmp/a'}));
	t.is(await may({}), 'The argument "path" of "files/read_file" is missing.');
	for (const path of [undefined, null, 7, {}, {path: '/tmp/a'}, [], [[]], ['/tmp/a', '/etc'], ['/tmp/a', 7]])
		t.not(await may({path}), true, JSON.stringify(path));
	t.true(await may({path: ['/tmp/a', '/srv/share/b']}));
	t.not(await may({Path: '/tmp/a'}), true);
	t.true(await may({path: '/etc'}, 'read_file', 'mail'), 'the rule is about another server');
	t.notRegex(String(await may({path: '/etc/secret-place'})), /secret-place|srv/);
});

test('an argument that is optional may be missing, and is judged when it is not', async t => {
	const may = await start(t, {path: {within: ['/tmp'], optional: true}});
	t.true(await may({}));
	t.not(await may({path: null}), true);
	t.not(await may({path: '/etc'}), true);
});

test('enumerations are exact, and numbers keep to both ends', async t => {
	const may = await start(t, {currency: {oneOf: ['EUR', 7, true], optional: true}, amount: {min: 0, max: 100, optional: true}});
	for (const currency of ['EUR', 7, true]) t.true(await may({currency}));
	for (const currency of ['eur', 'EUR ', '7', 'true', 1, false, null, ['EUR', 'USD']]) t.not(await may({currency}), true, String(currency));
	for (const amount of [0, 100, 99.5]) t.true(await may({amount}));
	for (const amount of [100.01, -1, '50', null, [5, 500], {valueOf: 5}, 1e308]) t.not(await may({amount}), true, String(amount));
});

test('a rule looks into objects and lists, and never at what they inherit', async t => {
	const may = await start(t, {'options.target.path': {within: ['/tmp']}});
	t.true(await may({options: {target: {path: '/tmp/a'}}}));
	t.true(await may({options: [{target: {path: '/tmp/a'}}, {target: [{path: '/tmp/b'}]}]}));
	t.not(await may({options: [{target: {path: '/tmp/a'}}, {target: {}}]}), true);
	t.not(await may({options: {}}), true);
	t.not(await may({'options.target.path': '/tmp/a'}), true);
	const inherited = await start(t, {constructor: {oneOf: ['x'], optional: true}, '__proto__.x': {oneOf: ['x'], optional: true}});
	t.true(await inherited({}));
});

test('the rules of every scope hold, and of every pattern that fits', async t => {
	const allow = {
		'*': {
			servers: ['*'],
			tools: ['*'],
			arguments: {'*': {path: {within: ['/srv'], optional: true}}, 'files/read_*': {path: {within: ['/srv/a', '/tmp']}}},
		},
		'team:acme/search': {arguments: {'files/read_file': {path: {within: ['/srv/a/b']}}}},
	};
	const plugin = await startPlugin(import.meta.url, {config: {allow}});
	t.teardown(plugin.close);
	const may = async (path: string, team?: string) =>
		plugin.act('explain', {tenant: 'acme', team, server: 'files', tool: 'read_file', arguments: {path}});
	t.like(await may('/srv/a/c'), {granted: true});
	t.like(await may('/tmp/c'), {granted: false, decidedBy: '*'});
	t.like(await may('/srv/a/c', 'search'), {granted: false, decidedBy: 'team:acme/search'});
	t.like(await may('/srv/a/b/c', 'search'), {granted: true});
});
