import test from 'ava';
import {startGateway, type TestGateway} from './helpers/gateway.ts';
import {storeEngines, until} from './helpers/store-engines.ts';

const status = async ({url}: TestGateway, key: string): Promise<number> => {
	const response = await fetch(`${url}/v1/models`, {headers: {authorization: `Bearer ${key}`}});
	await response.arrayBuffer();
	return response.status;
};

for (const {name, fresh} of storeEngines())
	test.serial(`${name}: a key made at one gateway opens the other, and one revoked there soon opens neither`, async t => {
		const store = await fresh(t);
		const one = await startGateway(t, {store});
		const other = await startGateway(t, {store});
		const {key, id} = (await one.act('virtual-keys', 'create', {tenant: 'acme'})) as {key: string; id: string};
		t.is(await status(one, key), 200);
		await until(t, async () => (await status(other, key)) === 200, 'the key', 3_000);
		await one.act('virtual-keys', 'revoke', {id});
		t.is(await status(one, key), 401);
		await until(t, async () => (await status(other, key)) === 401, 'its end', 3_000);
		t.false(other.logged().includes('word-of-the-test'));
	});
