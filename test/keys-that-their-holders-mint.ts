import test from 'ava';
import {startGateway, type TestGateway} from './helpers/gateway.ts';
import {eventually} from './helpers/sdks.ts';

type Key = {id: string; key: string};
type Answered = {status: number; body: Record<string, unknown>};

const self = async ({url}: TestGateway, key: string | undefined, what: string, input: object = {}): Promise<Answered> => {
	const response = await fetch(`${url}/self/${what}`, {
		method: 'POST',
		headers: {'content-type': 'application/json', ...(key !== undefined && {authorization: `Bearer ${key}`})},
		body: JSON.stringify(input),
	});
	return {status: response.status, body: (await response.json()) as Record<string, unknown>};
};

const opens = async ({url}: TestGateway, key: unknown): Promise<boolean> =>
	(await fetch(`${url}/v1/models`, {headers: {authorization: `Bearer ${key}`}})).ok;

test('whoever holds a key that may mint makes children of it, sees them and ends them', async t => {
	const gateway = await startGateway(t);
	const holder = (await gateway.act('virtual-keys', 'create', {tenant: 'acme', user: 'ada', mayMint: true})) as Key;
	const made = await self(gateway, holder.key, 'virtual-keys/mint', {name: 'one run', ttlSeconds: 600});
	t.is(made.status, 200);
	t.like(made.body, {name: 'one run', tenant: 'acme', user: 'ada', parent: holder.id, createdBy: holder.id});
	t.true(await opens(gateway, made.body.key));
	t.like(await self(gateway, holder.key, 'virtual-keys/children'), {body: {keys: {0: {id: made.body.id, state: 'active'}}}});
	t.is((await self(gateway, holder.key, 'virtual-keys/endChild', {id: made.body.id})).status, 200);
	t.false(await opens(gateway, made.body.key));
	const record = await eventually(async () => (await gateway.journal()).find(({event}) => (event as {action?: string})?.action === 'mint'));
	t.like(record, {kind: 'admin', outcome: 'ok', event: {plugin: 'virtual-keys', actor: holder.id, tenant: 'acme'}});
	t.false(JSON.stringify(await gateway.journal()).includes(String(made.body.key)));
});

test('the holder of a key acts on nothing but its own children, and does nothing else', async t => {
	const gateway = await startGateway(t);
	const create = (input: object) => gateway.act('virtual-keys', 'create', {...input}) as Promise<Key>;
	const [holder, other, plain] = [await create({mayMint: true}), await create({mayMint: true}), await create({})];
	const foreign = await self(gateway, other.key, 'virtual-keys/mint');
	for (const [key, what, input, code] of [
		[plain.key, 'mint', {}, 'denied'],
		[holder.key, 'mint', {parent: other.id}, 'denied'],
		[holder.key, 'mint', {tenant: 'acme'}, 'invalid_request'],
		[holder.key, 'mint', {user: 'ada'}, 'invalid_request'],
		[holder.key, 'mint', {team: 'finance'}, 'invalid_request'],
		[holder.key, 'children', {id: other.id}, 'denied'],
		[holder.key, 'endChild', {id: foreign.body.id}, 'not_found'],
		[holder.key, 'endChild', {id: holder.id}, 'not_found'],
		[holder.key, 'create', {}, 'not_found'],
		[holder.key, 'revoke', {id: other.id}, 'not_found'],
		[holder.key, 'constructor', {}, 'not_found'],
		[undefined, 'mint', {}, 'unauthenticated'],
		['vk_made-up', 'mint', {}, 'unauthenticated'],
	] as const)
		t.is((await self(gateway, key, `virtual-keys/${what}`, input)).body.code, code, `${what} ${JSON.stringify(input)}`);
	t.is((await self(gateway, holder.key, 'nothing/mint')).body.code, 'not_found');
	t.true(await opens(gateway, foreign.body.key));
	await gateway.act('virtual-keys', 'block', {id: holder.id});
	t.is((await self(gateway, holder.key, 'virtual-keys/mint')).body.code, 'key_blocked');
});

test('a child key is no admin key, and an admin key no key', async t => {
	const gateway = await startGateway(t);
	const holder = (await gateway.act('virtual-keys', 'create', {mayMint: true})) as Key;
	const response = await fetch(`${gateway.url}/admin/plugins/virtual-keys/actions/mint`, {
		method: 'POST',
		headers: {authorization: `Bearer ${holder.key}`},
	});
	t.is(response.status, 401);
	t.is((await self(gateway, gateway.adminKey, 'virtual-keys/mint')).status, 401);
});
