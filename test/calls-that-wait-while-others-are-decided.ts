import test, {type ExecutionContext} from 'ava';
import {codeOf} from '../core/plugins/bundle.ts';
import type {Entry} from './helpers/approvals.ts';
import {freshFolder} from './helpers/config-file.ts';
import {startGateway, type TestGateway} from './helpers/gateway.ts';
import {writePlugin} from './helpers/inline-world.ts';
import {openaiClient, user} from './helpers/sdks.ts';

const call = {model: 'fast', max_tokens: 50, messages: user('hello')};

const held = async ({gateway}: TestGateway): Promise<void> => {
	while (gateway.holds.size() === 0) await new Promise(resolve => setTimeout(resolve, 10));
};

test.serial('a call that a budget holds waits on, however many limits are set for others, and runs when its own is raised', async t => {
	const budgets: Entry = {use: 'budgets', config: {window: 'day', limitUsd: {'tenant:default': {usd: 0, hold: true}}}};
	const gateway = await startGateway(t, {plugins: [{use: 'virtual-keys'}, budgets]});
	const client = openaiClient(gateway, {apiKey: await gateway.key()});
	const answer = client.chat.completions.create(call);
	await held(gateway);
	for (let of = 0; of < 130; of++) await gateway.act('budgets', 'set', {account: `user:other/u${of}`, limitUsd: 5});
	t.is(gateway.gateway.holds.size(), 1);
	await gateway.act('budgets', 'set', {account: 'tenant:default', limitUsd: 5, window: 'day'});
	t.is((await answer).choices[0]?.message.content, 'You said: hello');
});

/** Holds each call, counts how often it is asked, and lets it pass when told to; `next` says what it waits for. */
const counting = async (t: ExecutionContext, next: string): Promise<Entry> => {
	const folder = await writePlugin(freshFolder(t), {
		name: 'counting',
		capabilities: ['kv', 'metrics'],
		reads: {'pre-request': ['model']},
		before: `let asked = 0;
			const input = {safeParse: data => ({success: true, data})};
			const touch = {description: 'Changes something.', input, run: async ({at, done}, {kv}) => { await kv.put({[\`at:\${at}\`]: 1, ...(done && {done: 1})}); return {asked}; }};`,
		hooks: `hooks: {'pre-request': (_, {kv}) => { asked++; return kv.get('done') ? undefined : ({verdict: 'hold', approval: {reason: 'wait', waitsFor: ${next}}}); }}, actions: {touch}`,
	});
	return {use: folder, tier: 'inline', grants: {kv: true, metrics: true}, trust: (await codeOf(folder, 'isolate')).digest};
};

test.serial('changes that come together are asked about together', async t => {
	const gateway = await startGateway(t, {plugins: [{use: 'virtual-keys'}, await counting(t, "''")]});
	const answer = openaiClient(gateway, {apiKey: await gateway.key()}).chat.completions.create(call);
	await held(gateway);
	const begun = performance.now();
	for (let at = 0; at < 100; at++) await gateway.act('counting', 'touch', {at});
	const windows = (performance.now() - begun) / 100;
	const {asked} = await gateway.act('counting', 'touch', {at: 'end', done: true});
	t.true(Number(asked) <= windows + 4, `${asked} times in ${windows} tenths of a second`);
	t.is((await answer).choices[0]?.message.content, 'You said: hello');
});

test.serial('whoever waits for something else each time it is asked is going in circles, and refused', async t => {
	const gateway = await startGateway(t, {plugins: [{use: 'virtual-keys'}, await counting(t, "'x' + asked")]});
	const client = openaiClient(gateway, {apiKey: await gateway.key()});
	await t.throwsAsync(client.chat.completions.create(call), {message: /did not come to an end/});
});
