import {cpSync, mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {backup, DatabaseSync} from 'node:sqlite';
import test, {type ExecutionContext} from 'ava';
import {freshFolder} from './helpers/config-file.ts';
import {startGateway, type TestGateway} from './helpers/gateway.ts';
import {user} from './helpers/sdks.ts';

const config = {plugins: [{use: 'virtual-keys'}, {use: 'budgets', config: {window: 'month', limitUsd: {'*': 1}}}]};

/** What is left after another call: US dollars. */
const leftAfter = async (gateway: TestGateway, key: string): Promise<number> => {
	const response = await fetch(`${gateway.url}/v1/chat/completions`, {
		method: 'POST',
		headers: {authorization: `Bearer ${key}`, 'content-type': 'application/json'},
		body: JSON.stringify({model: 'fast', max_tokens: 50, messages: user('hello there')}),
	});
	await response.text();
	return Number(response.headers.get('x-sallyport-budget-remaining'));
};

const copiesOf = (t: ExecutionContext, gateway: TestGateway) => {
	const folder = freshFolder(t);
	mkdirSync(folder, {recursive: true});
	return {
		folder,
		store: () => backup(new DatabaseSync(join(gateway.folder, 'store.db'), {readOnly: true}), join(folder, 'store.db')),
		// Of a process that is gone a lock says nothing; this one goes on.
		journal: () =>
			cpSync(join(gateway.folder, 'journal'), join(folder, 'journal'), {recursive: true, filter: file => !file.endsWith('.lock')}),
	};
};

test('a gateway brought back from a store, and a journal that was copied after it, knows to the last call what was spent', async t => {
	const first = await startGateway(t, config);
	const key = await first.key();
	const cost = 1 - (await leftAfter(first, key));
	const copies = copiesOf(t, first);
	await copies.store();
	for (let calls = 0; calls < 3; calls++) await leftAfter(first, key);
	await first.journal();
	copies.journal();
	await first.stop();
	const second = await startGateway(t, config, {folder: copies.folder});
	t.is((await leftAfter(second, key)).toFixed(6), (1 - 5 * cost).toFixed(6));
});
