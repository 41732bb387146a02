import test from 'ava';
import {codeOf, startPriced} from './helpers/priced-tools.ts';

const grants = (more: object = {}) => ({
	use: 'grants',
	config: {
		allow: {
			'*': {
				servers: ['shop'],
				tools: ['shop/*'],
				arguments: {
					'shop/search': {path: {within: ['/srv/share']}},
					'shop/buy': {amount: {min: 1, max: 100}, currency: {oneOf: ['EUR', 'CHF']}, 'options.path': {within: ['/srv'], optional: true}},
				},
			},
			...more,
		},
	},
});

test('no way of writing a path leads a tool out of what is granted', async t => {
	const {wire, made} = await startPriced(t, [grants()]);
	const attacks = [
		...['/etc/passwd', '/srv/share/../../etc/passwd', '/srv/share/..', '../../etc/passwd', '/srv/shared/a', '/srv/share\\..\\..\\etc'],
		...['/srv/share/%2e%2e/%2e%2e/etc/passwd', '/srv/share/..%2f..%2fetc', '/srv/share/%252e%252e/etc', '/srv/share/%c0%ae%c0%ae/etc'],
		...[
			'/srv/share/．．/etc',
			'/srv/share/..;/etc',
			'/srv/share/a\u0000/../..',
			'//srv/share/a',
			'file:///srv/share/a',
			'',
			' /srv/share/a',
		],
		...[null, 7, {}, [], ['/srv/share/a', '/etc/passwd'], {within: '/srv/share'}],
	];
	for (const path of attacks) t.is(codeOf(await wire.call('search', {path})), 'denied', JSON.stringify(path));
	t.is(codeOf(await wire.call('search', {})), 'denied');
	t.is(codeOf(await wire.call('search', {Path: '/srv/share/a'})), 'denied');
	t.is(made(), 0);
	t.is(codeOf(await wire.call('search', {path: '/srv/share/a..b/c'})), 'ok');
});

test('numbers keep to their bounds and words to their list, wherever they stand', async t => {
	const {wire, made} = await startPriced(t, [grants()]);
	const fine = {amount: 100, currency: 'EUR'};
	t.is(codeOf(await wire.call('buy', fine)), 'ok');
	for (const wrong of [
		...[{amount: 100.5}, {amount: 1e308}, {amount: '100'}, {amount: 0}, {amount: [1, 1000]}, {amount: null}, {currency: 'eur'}],
		...[{currency: 'EUR '}, {currency: ['EUR', 'USD']}, {options: {path: '/etc'}}, {options: [{path: '/srv/a'}, {path: '/srv/../etc'}]}],
	])
		t.is(codeOf(await wire.call('buy', {...fine, ...wrong})), 'denied', JSON.stringify(wrong));
	t.is(made(), 1);
});

test('a narrower scope takes a tool away, and an action gives it back, from the next call on', async t => {
	const {gateway, wire, made} = await startPriced(t, [grants({'tenant:default': {tools: ['shop/search']}})]);
	t.is(codeOf(await wire.call('buy', {amount: 1, currency: 'EUR'})), 'denied', 'a narrower scope takes away');
	await gateway.act('grants', 'allow', {scope: 'tenant:default', tools: ['shop/*']});
	t.is(codeOf(await wire.call('buy', {amount: 1, currency: 'EUR'})), 'ok');
	await gateway.act('grants', 'revoke', {scope: 'tenant:default'});
	t.is(codeOf(await wire.call('buy', {amount: 1, currency: 'EUR'})), 'denied');
	t.is(made(), 1);
});

test('a refusal tells neither the value nor what would have been allowed', async t => {
	const {wire} = await startPriced(t, [grants()]);
	const {body} = await wire.call('search', {path: '/etc/secret-place'});
	t.like(body.error, {code: -32010, data: {code: 'denied', plugin: 'grants', rule: '*'}});
	t.notRegex(JSON.stringify(body), /secret-place|\/srv/);
});
