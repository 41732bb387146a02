import {hash} from 'node:crypto';
import test from 'ava';
import {calls as adminCalls} from './helpers/admins.ts';
import {callRecords, isPending, legacyCall, pendingAt, startPaying} from './helpers/approvals.ts';
import {wordsOf} from './helpers/mcp-wire.ts';

test.serial('an approver edits the arguments: the tool gets those, and the client is told', async t => {
	const {gateway, calls, pay} = await startPaying(t);
	const held = pay({amount: 5_000});
	const [asked] = await pendingAt(gateway);
	await gateway.act('approvals', 'decide', {id: asked!.id, decision: 'edit', arguments: {amount: 50}});
	const said = await held;
	t.deepEqual(calls(), [{amount: 50}]);
	t.deepEqual(said.body.result?.content, [
		{type: 'text', text: 'pay {"amount":50}'},
		{type: 'text', text: 'Whoever approved this call changed its arguments to {"amount":50}'},
	]);
	t.like(said.body.result, {_meta: {'sallyport/approval': {id: asked!.id, arguments: {amount: 50}}}});
	const [record] = await callRecords(gateway);
	t.like(record, {annotations: {'approvals.edited': true}});
});

test.serial('an approver cannot write what a rule before it refuses', async t => {
	const allow = {'*': {servers: ['*'], tools: ['*'], arguments: {'one/pay': {amount: {max: 100}}}}};
	const {gateway, calls, pay} = await startPaying(t, {before: [{use: 'grants', config: {allow}}]});
	for (const [amount, code] of [
		[101, 'denied'],
		[100, undefined],
	] as const) {
		const held = pay({amount: 7});
		const [asked] = await pendingAt(gateway);
		await gateway.act('approvals', 'decide', {id: asked!.id, decision: 'edit', arguments: {amount}});
		const said = await held;
		t.is(said.body.error?.data?.code, code);
	}
	t.deepEqual(calls(), [{amount: 100}]);
});

test.serial('what an approver writes is masked and refused like what the client writes, and counted once', async t => {
	const {gateway, calls, pay} = await startPaying(t, {
		before: [
			{use: 'rate-limits', config: {limits: {'*': {'toolCalls/rolling:1m': 2}}}},
			{use: 'masking', config: {mask: ['email'], in: ['request']}},
			{use: 'word-list', config: {words: ['falcon'], action: 'deny'}},
		],
	});
	for (const [to, code] of [
		['ada@example.com', undefined],
		['a falcon', 'content_blocked'],
	] as const) {
		const held = pay({amount: 5});
		const [asked] = await pendingAt(gateway);
		await gateway.act('approvals', 'decide', {id: asked!.id, decision: 'edit', arguments: {to}});
		const said = await held;
		t.is(said.body.error?.data?.code, code);
		t.false(JSON.stringify(said.body).includes('ada@'));
	}
	t.deepEqual(calls(), [{to: '[EMAIL]'}]);
	const [record] = await callRecords(gateway);
	t.is(record!.argumentsDigest, hash('sha256', '{"to":"[EMAIL]"}'), 'the record is of what was sent');
});

test.serial('a refusal ends the call at once with its reason, and stands for the same call until it expires', async t => {
	const {gateway, calls, pay} = await startPaying(t);
	const held = pay({amount: 5});
	const [asked] = await pendingAt(gateway);
	t.like(await gateway.act('approvals', 'decide', {id: asked!.id, decision: 'refuse', reason: 'too late in the day'}), {state: 'refused'});
	for (const said of [await held, await pay({amount: 5})]) {
		t.regex(String(said.body.error?.message), /refused it: too late in the day$/);
		t.like(said.body.error?.data, {code: 'denied', plugin: 'approvals', rule: 'pay'});
	}
	await t.throwsAsync(gateway.act('approvals', 'decide', {id: asked!.id, decision: 'approve'}), {message: 'It is refused already.'});
	t.deepEqual(calls(), []);
});

test.serial(
	'what is approved for an hour runs as often as it likes, with other arguments where that was said, and only for that key',
	async t => {
		const {gateway, calls, pay, wire} = await startPaying(t, {rule: {holdMs: 30}});
		await pay({amount: 1});
		const [one] = await pendingAt(gateway);
		await gateway.act('approvals', 'decide', {id: one!.id, decision: 'approve', minutes: 60});
		for (let times = 0; times < 2; times++) t.is(wordsOf(await pay({amount: 1})), 'pay {"amount":1}');
		t.true(isPending(await pay({amount: 2})));
		const [two] = await pendingAt(gateway);
		await gateway.act('approvals', 'decide', {id: two!.id, decision: 'approve', minutes: 60, anyArguments: true});
		for (const amount of [2, 3]) t.is(wordsOf(await pay({amount})), `pay {"amount":${amount}}`);
		t.true(isPending(await legacyCall(wire(await gateway.key()))({amount: 3})));
		t.is(calls().length, 4);
	},
);

test.serial('four eyes: one approver is not enough, nor the same one twice, nor two who mean different things', async t => {
	const {gateway, calls, pay} = await startPaying(t, {rule: {fourEyes: true}});
	const call = adminCalls(gateway);
	const admins = await Promise.all(
		['anna', 'ben', 'cleo'].map(async name => (await call('/admin/admins', {name, role: 'approver'})).body.key),
	);
	const decide = async (who: number, words: object) =>
		(await call('/admin/plugins/approvals/actions/decide', {id: asked!.id, ...words}, {key: admins[who]!})).body;
	const held = pay({amount: 5});
	const [asked] = await pendingAt(gateway);
	t.like(await decide(0, {decision: 'approve'}), {state: 'pending', needed: 2});
	t.like(await decide(0, {decision: 'approve'}), {state: 'pending', needed: 2});
	t.like(await decide(1, {decision: 'edit', arguments: {amount: 1}}), {state: 'pending'});
	t.deepEqual(calls(), []);
	t.like(await decide(2, {decision: 'approve'}), {state: 'approved'});
	t.is(wordsOf(await held), 'pay {"amount":5}');
	t.like(await decide(1, {decision: 'refuse', reason: 'no'}), {code: 'conflict'});
	const deeds = (await gateway.journal()).filter(({kind, event}) => kind === 'admin' && JSON.stringify(event).includes(asked!.id));
	t.true(deeds.length >= 4, 'every decision is on the record');
});

test.serial('an auditor decides nothing, and an admin of another tenant knows of nothing', async t => {
	const {gateway, calls, pay} = await startPaying(t, {rule: {holdMs: 20}});
	const call = adminCalls(gateway);
	await pay({amount: 5});
	const [asked] = await pendingAt(gateway);
	for (const [input, code] of [
		[{name: 'eve', role: 'auditor'}, 'denied'],
		[{name: 'oscar', role: 'admin', tenant: 'other'}, 'not_found'],
		[{name: 'paul', role: 'approver', tenant: 'other'}, 'not_found'],
	] as const) {
		const {key} = (await call('/admin/admins', input)).body;
		t.like((await call('/admin/plugins/approvals/actions/decide', {id: asked!.id, decision: 'approve'}, {key})).body, {code});
		const {approvals} = (await call('/admin/plugins/approvals/actions/list', {}, {key})).body;
		t.is((approvals as unknown[]).length, input.role === 'auditor' ? 1 : 0);
		const {arguments: args} = (await call('/admin/plugins/approvals/actions/show', {id: asked!.id}, {key})).body;
		t.is(args, undefined, 'nor what the tool would be called with');
	}
	t.true(isPending(await pay({amount: 5})));
	t.deepEqual(calls(), []);
});
