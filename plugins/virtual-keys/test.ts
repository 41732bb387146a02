import {createHash} from 'node:crypto';
import test, {type ExecutionContext} from 'ava';
import {type StartedPlugin, startPlugin} from '../../plugin-sdk/testing.ts';

type Shown = {id: string; key: string; state: string; tenant: string; expiresAt?: string; [field: string]: unknown};

const day = 86_400_000;
const noon = Date.parse('2026-11-22T12:00:00Z');

const start = async (t: ExecutionContext) => {
	const clock = {now: noon};
	const plugin = await startPlugin(import.meta.url, {now: () => clock.now});
	t.teardown(plugin.close);
	const act = (name: string, input?: unknown) => plugin.act(name, input, 'olga') as Promise<Shown>;
	return {plugin, act, clock};
};

const sha256 = (key: string) => createHash('sha256').update(key).digest('hex');
const show = (plugin: StartedPlugin, key: string) => plugin.ask('pre-auth', {credential: {sha256: sha256(key)}});

test('a created key says who its holder is, in accounts from the widest to the narrowest', async t => {
	const {plugin, act} = await start(t);
	const made = await act('create', {name: 'search', tenant: 'acme', team: 'search', user: 'ada@acme.example', tags: ['batch']});
	t.regex(made.key, /^vk_[\w-]{43}$/);
	t.regex(made.id, /^key_[0-9a-f]{32}$/);
	t.deepEqual(await show(plugin, made.key), {
		verdict: 'identify',
		principal: {
			id: made.id,
			tenant: 'acme',
			team: 'search',
			user: 'ada@acme.example',
			key: made.id,
			tags: ['batch'],
			accounts: ['tenant:acme', 'team:acme/search', 'user:acme/ada@acme.example', `key:${made.id}`],
		},
	});
});

test('a key of nobody in particular has no team and no user', async t => {
	const {plugin, act} = await start(t);
	const {id, key} = await act('create');
	t.deepEqual(await show(plugin, key), {
		verdict: 'identify',
		principal: {id, tenant: 'default', key: id, tags: [], accounts: ['tenant:default', `key:${id}`]},
	});
});

test('a key that was never made, and no key at all, are left to other plugins', async t => {
	const {plugin, act} = await start(t);
	await act('create');
	t.is(await show(plugin, 'vk_unknown'), undefined);
	t.is(await plugin.ask('pre-auth', {credential: {}}), undefined);
});

test('the key itself is in the answer to create and nowhere else, its hash in no answer at all', async t => {
	const {plugin, act} = await start(t);
	const made = await act('create', {metadata: {cost: 4711}});
	const {key} = await act('rotate', {id: made.id, graceSeconds: 60});
	const said = JSON.stringify([await act('get', {id: made.id}), await act('list'), await act('block', {id: made.id})]);
	const refused = JSON.stringify(await show(plugin, key));
	for (const secret of [made.key, key]) {
		t.false(JSON.stringify(plugin.kv()).includes(secret));
		t.false(`${said}${refused}`.includes(secret));
		t.false(`${said}${refused}${JSON.stringify(made)}`.includes(sha256(secret)));
	}
});

test('a blocked key is refused until it is unblocked', async t => {
	const {plugin, act} = await start(t);
	const {id, key} = await act('create');
	t.is((await act('block', {id})).state, 'blocked');
	t.like(await show(plugin, key), {verdict: 'deny', code: 'key_blocked'});
	t.is((await act('unblock', {id})).state, 'active');
	t.like(await show(plugin, key), {verdict: 'identify'});
});

test('a revoked key stays revoked, is refused in the words for a key that never was, and stays on the list', async t => {
	const {plugin, act} = await start(t);
	const {id, key} = await act('create');
	await act('revoke', {id});
	t.like(await show(plugin, key), {verdict: 'deny', code: 'unauthenticated', message: 'This key is not known here.'});
	for (const [action, more] of [['unblock'], ['block'], ['rotate'], ['expire', {at: null}]] as const)
		await t.throwsAsync(act(action, {id, ...more}), {code: 'conflict'});
	t.like(await act('list'), {keys: [{id, state: 'revoked', revokedAt: '2026-11-22T12:00:00.000Z', createdBy: 'olga'}]});
});

test('a key ends with its last moment', async t => {
	const {plugin, act, clock} = await start(t);
	const soon = await act('create', {ttlSeconds: 60});
	const later = await act('create', {expiresAt: '2026-11-22T14:00:00+01:00'});
	t.is(later.expiresAt, '2026-11-22T13:00:00.000Z');
	clock.now = noon + 59_999;
	t.like(await show(plugin, soon.key), {verdict: 'identify'});
	clock.now = noon + 60_000;
	t.like(await show(plugin, soon.key), {verdict: 'deny', code: 'key_expired'});
	t.is((await act('get', {id: soon.id})).state, 'expired');
	t.like(await show(plugin, later.key), {verdict: 'identify'});
});

test('the end of a key can be set, moved and taken away', async t => {
	const {plugin, act, clock} = await start(t);
	const {id, key} = await act('create');
	await act('expire', {id, at: '2026-11-22T12:00:00Z'});
	t.like(await show(plugin, key), {verdict: 'deny', code: 'key_expired'});
	await t.throwsAsync(act('rotate', {id}), {code: 'conflict'});
	await act('expire', {id, at: '2026-11-23T12:00:00Z'});
	t.like(await show(plugin, key), {verdict: 'identify'});
	await act('expire', {id, at: null});
	clock.now += 400 * day;
	t.like(await show(plugin, key), {verdict: 'identify'});
});

test('after a rotation the new secret works at once, the old one until its grace ends', async t => {
	const {plugin, act, clock} = await start(t);
	const {id, key: old} = await act('create', {tenant: 'acme'});
	const {key} = await act('rotate', {id, graceSeconds: 3_600});
	t.like(await show(plugin, key), {verdict: 'identify', principal: {id, tenant: 'acme', expiresAt: undefined}});
	t.like(await show(plugin, old), {verdict: 'identify', principal: {id, tenant: 'acme', expiresAt: noon + 3_600_000}});
	clock.now += 3_600_000;
	t.like(await show(plugin, old), {verdict: 'deny', code: 'key_expired'});
	t.like(await show(plugin, key), {verdict: 'identify', principal: {id, tenant: 'acme'}});
});

test('a rotation without grace ends every older secret at once, one in its grace too', async t => {
	const {plugin, act} = await start(t);
	const {id, key: first} = await act('create');
	const {key: second} = await act('rotate', {id, graceSeconds: 3_600});
	const {key: third} = await act('rotate', {id});
	t.like(await show(plugin, first), {verdict: 'deny'});
	t.like(await show(plugin, second), {verdict: 'deny'});
	t.like(await show(plugin, third), {verdict: 'identify'});
});

test('an old secret never outlives the end of its key', async t => {
	const {plugin, act, clock} = await start(t);
	const {id, key} = await act('create', {ttlSeconds: 60});
	await act('rotate', {id, graceSeconds: 3_600});
	clock.now += 60_000;
	t.like(await show(plugin, key), {verdict: 'deny', code: 'key_expired'});
});

test('a key that is rotated every day for a year keeps three rows of its own', async t => {
	const {plugin, act, clock} = await start(t);
	const {id} = await act('create');
	for (let count = 0; count < 365; count += 1) {
		clock.now += day;
		await act('rotate', {id, graceSeconds: 60});
	}
	t.is(Object.keys(plugin.kv()).filter(row => row !== 'version').length, 3);
});

test('blocking and revoking reach the secrets that a rotation under way is making', async t => {
	const {plugin, act} = await start(t);
	const {id, key: old} = await act('create');
	const [{key}] = await Promise.all([act('rotate', {id, graceSeconds: 60}), act('block', {id})]);
	t.like(await show(plugin, old), {verdict: 'deny', code: 'key_blocked'});
	t.like(await show(plugin, key), {verdict: 'deny', code: 'key_blocked'});
});

test('of ten that ask for the first key at once, one gets it; with any key there is none', async t => {
	const {plugin, act} = await start(t);
	const asked = await Promise.allSettled(Array.from({length: 10}, () => act('createFirst', {})));
	const made = asked.filter(({status}) => status === 'fulfilled');
	t.is(made.length, 1);
	const {key, id} = (made[0] as PromiseFulfilledResult<Shown>).value;
	t.like(await show(plugin, key), {verdict: 'identify'});
	await act('revoke', {id});
	await t.throwsAsync(act('createFirst', {}), {code: 'conflict'});
});

test('keys are listed by tenant, team and user, in pages that miss none', async t => {
	const {plugin, act} = await start(t);
	const teams = ['search', 'search', 'ads', 'search', 'ads'];
	const made = await Promise.all(teams.map(team => act('create', {tenant: 'acme', team})));
	await act('create', {tenant: 'other', user: 'ada'});
	const page = async (input: object) => (await plugin.act('list', input)) as {keys: Shown[]; next?: string};
	t.is((await page({})).keys.length, 6);
	t.is((await page({tenant: 'other', user: 'ada'})).keys.length, 1);
	t.is((await page({tenant: 'nobody'})).keys.length, 0);
	const seen: string[] = [];
	let after: string | undefined;
	do {
		const {keys, next} = await page({tenant: 'acme', team: 'search', limit: 1, after});
		seen.push(...keys.map(({id}) => id));
		after = next;
	} while (after);
	const wanted = made.filter((_, index) => teams[index] === 'search').map(({id}) => id);
	t.deepEqual(seen, wanted.sort());
});

for (const [what, input] of Object.entries({
	'a tenant with a slash': {tenant: 'acme/search'},
	'a team with a colon': {team: 'a:b'},
	'a team that is a pattern': {team: '*'},
	'an empty user': {user: ''},
	'an end in the past': {expiresAt: '2026-11-22T11:59:59Z'},
	'an end that is no moment': {expiresAt: 'tomorrow'},
	'two ends': {expiresAt: '2027-01-01T00:00:00Z', ttlSeconds: 60},
	'a secret of its own': {key: 'vk_mine'},
}))
	test(`a key with ${what} is not made`, async t => {
		const {plugin, act} = await start(t);
		await t.throwsAsync(act('create', input), {code: 'invalid_request'});
		t.deepEqual(plugin.kv(), {});
	});

test('a grace of more than thirty days, an unknown id and a key in the place of an id are refused', async t => {
	const {act} = await start(t);
	const {id, key} = await act('create');
	await t.throwsAsync(act('rotate', {id, graceSeconds: 30 * 86_400 + 1}), {code: 'invalid_request'});
	await t.throwsAsync(act('get', {id: `key_${'0'.repeat(32)}`}), {code: 'not_found'});
	const error = await t.throwsAsync(act('get', {id: key}), {code: 'invalid_request'});
	t.false(error?.message.includes(key));
});
