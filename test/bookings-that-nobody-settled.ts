import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {codeOf} from '../core/plugins/bundle.ts';
import {startGateway} from './helpers/gateway.ts';
import {writePlugin} from './helpers/inline-world.ts';
import {eventually, modelRecords, openaiClient, user} from './helpers/sdks.ts';

const units = ['microUsd', 'tokens', 'inputTokens', 'outputTokens', 'requests', 'toolCalls'] as const;

/** Sets a thousand of everything aside, and leaves it to the gateway what it comes to. */
const spendthrift = `hooks: {'pre-request': () => allow({reserve: [
	...${JSON.stringify(units)}.map(unit => ({account: 'all', unit, amount: 1_000, limit: 10_000, window: 'total'})),
	{account: 'all', unit: 'slots', amount: 1, limit: 5, window: 'now'},
]})}`;

const open = async (t: ExecutionContext, deployment: string) => {
	const parent = await mkdtemp(join(tmpdir(), 'sallyport-spendthrift-'));
	t.teardown(() => rm(parent, {recursive: true, force: true}));
	const folder = await writePlugin(parent, {
		name: 'spendthrift',
		reads: {'pre-request': ['model']},
		capabilities: ['ledger'],
		hooks: spendthrift,
	});
	const {digest} = await codeOf(folder, 'isolate');
	const gateway = await startGateway(t, {
		models: {asked: [deployment]},
		plugins: [
			{use: 'virtual-keys'},
			{use: folder, tier: 'inline', trust: digest, grants: {ledger: true}},
			{use: 'word-list', config: {words: ['forbidden'], action: 'deny'}},
		],
	});
	const client = openaiClient(gateway, {apiKey: await gateway.key()});
	const ask = (content: string) => client.chat.completions.create({model: 'asked', messages: user(content)});
	const booked = async () => {
		const {bookings = []} = await eventually(async () => (await modelRecords(gateway)).find(({kind}) => kind === 'exchange'));
		return Object.fromEntries(
			bookings.map(({key, amount}) => [key.split('|').find(part => [...units, 'slots'].includes(part as 'slots')), amount]),
		);
	};
	return {ask, booked};
};

const nothing = {microUsd: 0, tokens: 0, inputTokens: 0, outputTokens: 0, requests: 0, toolCalls: 0, slots: 0};

test('where no upstream was reached it comes to nothing, in every unit', async t => {
	const {ask, booked} = await open(t, 'local/echo');
	await t.throwsAsync(ask('forbidden'));
	t.deepEqual(await booked(), nothing);
});

test('where one answered it comes to what was used, and a unit that nobody counted in full', async t => {
	const {ask, booked} = await open(t, 'local/echo');
	const {usage} = await ask('hello');
	t.like(await booked(), {
		tokens: usage!.total_tokens,
		inputTokens: usage!.prompt_tokens,
		outputTokens: usage!.completion_tokens,
		requests: 1,
		slots: 0,
	});
});
