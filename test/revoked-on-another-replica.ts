import test, {type ExecutionContext} from 'ava';
import {startGateway, type TestGateway} from './helpers/gateway.ts';
import {eventually, user} from './helpers/sdks.ts';
import {storeEngines} from './helpers/store-engines.ts';

type Key = {id: string; key: string};

const models = {long: ['local/words-3000-every-10'], fast: ['local/echo']};
const owner = {actor: 'owner of the other', role: 'owner'} as const;

const ask = ({url}: TestGateway, {key}: Pick<Key, 'key'>, model: string) =>
	fetch(`${url}/v1/chat/completions`, {
		method: 'POST',
		headers: {'x-api-key': key, 'content-type': 'application/json'},
		body: JSON.stringify({model, max_tokens: 30_000, stream: model === 'long', messages: user('go on')}),
	});

const codeAt = async (gateway: TestGateway, key: Pick<Key, 'key'>): Promise<string> => {
	const response = await ask(gateway, key, 'fast');
	return response.ok ? 'ok' : ((await response.json()) as {error: {code: string}}).error.code;
};

for (const {name, fresh} of storeEngines()) {
	/** Two gateways, each with a journal of its own, on one store. */
	const startTwo = async (t: ExecutionContext) => {
		const store = await fresh(t);
		const start = () => startGateway(t, {store, models, revoked: {running: 'cut'}, plugins: [{use: 'virtual-keys'}]});
		const here = await start();
		return {here, there: await start()};
	};

	test(`${name}: what one gateway refuses, another one refuses within a second, and cuts what runs`, async t => {
		const {here, there} = await startTwo(t);
		const deeds: [string, string, (key: Key) => Record<string, unknown>][] = [
			['block', 'key_blocked', ({id}) => ({id})],
			['revoke', 'unauthenticated', ({id}) => ({id})],
			['tenants.block', 'blocked', () => ({tenant: 'acme'})],
		];
		for (const [action, code, input] of deeds) {
			const key = (await here.act('virtual-keys', 'create', {tenant: 'acme'})) as Key;
			await eventually(async () => ((await codeAt(there, key)) === 'ok' ? true : undefined));
			const running = await ask(there, key, 'long');
			let text = '';
			let lastAt = 0;
			const reading = (async () => {
				for await (const chunk of running.body!) {
					text += Buffer.from(chunk).toString();
					lastAt = performance.now();
				}
			})();
			await eventually(() => (text.length > 500 ? true : undefined));
			await here.act('virtual-keys', action, input(key));
			const done = performance.now();
			t.is(await codeAt(here, key), code);
			await reading;
			t.true(lastAt - done < 1_000, `${action}: the last byte came after ${lastAt - done} ms`);
			t.true(text.includes(`"code":"${code}"`), action);
			t.is(await codeAt(there, key), code);
		}
	});

	test(`${name}: a revocation here is not undone by what happens to the key over there at the same moment`, async t => {
		const {here, there} = await startTwo(t);
		for (const [action, more] of [
			['unblock', {}],
			['expire', {at: null}],
			['rotate', {graceSeconds: 600}],
			['update', {tags: ['later']}],
		] as const) {
			const key = (await here.act('virtual-keys', 'create')) as Key;
			await eventually(async () => ((await codeAt(there, key)) === 'ok' ? true : undefined));
			const {id} = key;
			const [, after] = await Promise.all([
				here.act('virtual-keys', 'revoke', {id}),
				there.gateway.house.act('virtual-keys', action, {id, ...more}, owner).catch(() => ({})),
			]);
			for (const gateway of [here, there])
				for (const secret of [key.key, (after as Partial<Key>).key])
					if (secret) await eventually(async () => ((await codeAt(gateway, {key: secret})) === 'unauthenticated' ? true : undefined));
			t.pass();
		}
	});
}
