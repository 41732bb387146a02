import {createHash} from 'node:crypto';
import test, {type ExecutionContext} from 'ava';
import type {Caller} from '../../plugin-sdk/index.ts';
import {startPlugin} from '../../plugin-sdk/testing.ts';

type Shown = {id: string; key: string; state: string; [field: string]: unknown};
type Act = (name: string, input?: unknown, caller?: string | Caller) => Promise<Shown>;

const noon = Date.parse('2026-11-22T12:00:00Z');
const past = '2026-11-22T11:00:00Z';
const soon = '2026-11-22T13:00:00Z';

const start = async (t: ExecutionContext) => {
	const clock = {now: noon};
	const plugin = await startPlugin(import.meta.url, {now: () => clock.now});
	t.teardown(plugin.close);
	const act: Act = (name, input, caller = 'olga') => plugin.act(name, input, caller) as Promise<Shown>;
	const show = ({key}: Shown) =>
		plugin.ask('pre-auth', {credential: {sha256: createHash('sha256').update(key).digest('hex')}, ip: '127.0.0.1'});
	/** What a principal that somebody else identified meets. */
	const pass = (principal: {tenant: string; team?: string; user?: string}) => plugin.ask('pre-request', {principal, operation: 'chat'});
	return {plugin, act, show, pass, clock};
};

const whole = {tenant: 'acme', team: 'search', user: 'ada'};
const kinds = {
	tenants: {tenant: 'acme'},
	teams: {tenant: 'acme', team: 'search'},
	users: {tenant: 'acme', user: 'ada'},
} as const;
const rules = {tenants: 'tenant:acme', teams: 'team:acme/search', users: 'user:acme/ada'} as const;

for (const [kind, named] of Object.entries(kinds) as [keyof typeof kinds, (typeof kinds)[keyof typeof kinds]][]) {
	test(`${kind} that nobody made let keys in, and refuse every key under them once they are blocked, over or deleted`, async t => {
		const {act, show, pass} = await start(t);
		const keys = [await act('create', whole), await act('create', named)];
		const shown = async () => [...(await Promise.all(keys.map(show))), await pass(whole)];
		const refused = async (code: string) => {
			for (const verdict of await shown()) t.like(verdict, {verdict: 'deny', code, rule: rules[kind]});
		};
		const admitted = async () => {
			const [one, other, elsewhere] = await shown();
			t.like(one, {verdict: 'identify'});
			t.like(other, {verdict: 'identify'});
			t.is(elsewhere, undefined);
		};
		await admitted();
		t.is((await act(`${kind}.block`, named)).state, 'blocked');
		await refused('blocked');
		t.is((await act(`${kind}.unblock`, named)).state, 'active');
		await admitted();
		t.is((await act(`${kind}.expire`, {...named, at: past})).state, 'expired');
		await refused('key_expired');
		await act(`${kind}.expire`, {...named, at: null});
		await admitted();
		t.is((await act(`${kind}.delete`, named)).state, 'deleted');
		await refused('blocked');
		await t.throwsAsync(act('create', whole), {code: 'conflict'});
		await t.throwsAsync(act(`${kind}.block`, named), {code: 'conflict'});
	});

	test(`of ${kind} deleted and made again, the keys from before stay ended and those from after open`, async t => {
		const {act, show, pass} = await start(t);
		await act(`${kind}.create`, {...named, title: 'the first'});
		const before = await act('create', whole);
		await act(`${kind}.block`, named);
		await act(`${kind}.delete`, named);
		t.like(await act(`${kind}.create`, {...named, title: 'the second'}), {state: 'active', title: 'the second'});
		const after = await act('create', whole);
		t.like(await show(before), {verdict: 'deny', code: 'blocked'});
		t.like(await show(after), {verdict: 'identify'});
		t.is(await pass(whole), undefined);
		await act(`${kind}.delete`, named);
		t.like(await show(after), {verdict: 'deny', code: 'blocked'});
		await act(`${kind}.create`, named);
		for (const key of [before, after]) t.like(await show(key), {verdict: 'deny', code: 'blocked'});
	});

	test(`${kind} end with their last moment, and say so to whoever asks for a principal`, async t => {
		const {act, show, clock} = await start(t);
		await act(`${kind}.create`, {...named, expiresAt: soon});
		const key = await act('create', whole);
		t.like(await show(key), {verdict: 'identify', principal: {expiresAt: Date.parse(soon)}});
		clock.now = Date.parse(soon);
		t.like(await show(key), {verdict: 'deny', code: 'key_expired', rule: rules[kind]});
		t.is((await act(`${kind}.get`, named)).state, 'expired');
	});

	test(`${kind} are made once, listed with their state in pages that miss none, and are not found where there are none`, async t => {
		const {act} = await start(t);
		await t.throwsAsync(act(`${kind}.get`, named), {code: 'not_found'});
		const name = kind.slice(0, -1);
		for (const letter of ['c', 'a', 'e', 'b', 'd']) await act(`${kind}.create`, {tenant: 'acme', [name]: letter, metadata: {letter}});
		await t.throwsAsync(act(`${kind}.create`, {tenant: 'acme', [name]: 'a'}), {code: 'conflict'});
		await act(`${kind}.block`, {tenant: 'acme', [name]: 'b'});
		await act(`${kind}.delete`, {tenant: 'acme', [name]: 'c'});
		const seen: [unknown, unknown][] = [];
		let after: unknown;
		do {
			const page = (await act(`${kind}.list`, {
				...(kind !== 'tenants' && {tenant: 'acme'}),
				limit: 2,
				...(after !== undefined && {after}),
			})) as Record<string, unknown>;
			for (const one of page[kind] as Record<string, unknown>[]) seen.push([one[name], one.state]);
			after = page.next;
		} while (after !== undefined);
		t.deepEqual(seen, [
			['a', 'active'],
			['b', 'blocked'],
			['c', 'deleted'],
			['d', 'active'],
			['e', 'active'],
		]);
	});
}

test('a key of a team cannot escape what its user or its tenant meets', async t => {
	const {act, show} = await start(t);
	const key = await act('create', whole);
	for (const [kind, named] of Object.entries(kinds)) {
		await act(`${kind}.block`, named);
		t.like(await show(key), {verdict: 'deny', code: 'blocked'});
		await act(`${kind}.unblock`, named);
	}
	t.like(await show(key), {verdict: 'identify'});
});

test('what one tenant, team or user meets is nothing to any other', async t => {
	const {act, show} = await start(t);
	const others = [
		await act('create', {tenant: 'acme', team: 'ads', user: 'bob'}),
		await act('create', {tenant: 'globex', team: 'search', user: 'ada'}),
	];
	await act('teams.block', kinds.teams);
	await act('users.delete', kinds.users);
	for (const key of others) t.like(await show(key), {verdict: 'identify'});
	await act('tenants.delete', kinds.tenants);
	t.like(await show(others[0]!), {verdict: 'deny'});
	t.like(await show(others[1]!), {verdict: 'identify'});
});

test('a tenant that was deleted and made again knows neither the teams nor the users of the one before', async t => {
	const {act, show} = await start(t);
	await act('teams.create', kinds.teams);
	await act('users.block', kinds.users);
	await act('tenants.delete', kinds.tenants);
	await t.throwsAsync(act('teams.create', {tenant: 'acme', team: 'new'}), {code: 'conflict'});
	await act('tenants.create', kinds.tenants);
	await t.throwsAsync(act('teams.get', kinds.teams), {code: 'not_found'});
	t.like(await show(await act('create', whole)), {verdict: 'identify'});
});

test('one user of several tenants is blocked in one of them, or in all', async t => {
	const {plugin, act, show} = await start(t);
	const made = (await plugin.act('users.create', {user: 'ada', tenants: ['acme', 'globex']})) as {memberships: Shown[]};
	t.deepEqual(
		made.memberships.map(({tenant, user, state}) => ({tenant, user, state})),
		['acme', 'globex'].map(tenant => ({tenant, user: 'ada', state: 'active'})),
	);
	const [acme, globex] = [await act('create', {tenant: 'acme', user: 'ada'}), await act('create', {tenant: 'globex', user: 'ada'})];
	t.like(await show(acme), {principal: {accounts: {1: 'user:acme/ada'}}});
	t.like(await show(globex), {principal: {accounts: {1: 'user:globex/ada'}}});
	await act('users.block', {user: 'ada', tenant: 'acme'});
	t.like(await show(acme), {verdict: 'deny', code: 'blocked'});
	t.like(await show(globex), {verdict: 'identify'});
	await act('users.block', {user: 'ada'});
	t.like(await show(globex), {verdict: 'deny', code: 'blocked'});
	await act('users.unblock', {user: 'ada'});
	for (const key of [acme, globex]) t.like(await show(key), {verdict: 'identify'});
	await t.throwsAsync(act('users.block', {user: 'nobody'}), {code: 'not_found'});
});

test('whoever is confined to a tenant reaches nothing of another one', async t => {
	const {plugin, act, show} = await start(t);
	const of = (tenant: string): Caller => ({actor: 'adam', role: 'admin', tenant});
	const foreign = await act('create', {tenant: 'globex', team: 'search', user: 'ada'});
	await act('users.create', {user: 'ada', tenants: ['acme', 'globex']});
	const own = of('acme');
	for (const [action, input] of [
		['create', {tenant: 'globex'}],
		['list', {tenant: 'globex'}],
		['teams.create', {tenant: 'globex', team: 'new'}],
		['teams.delete', {tenant: 'globex', team: 'search'}],
		['teams.list', {tenant: 'globex'}],
		['users.block', {tenant: 'globex', user: 'ada'}],
		['users.create', {user: 'eve', tenants: ['acme', 'globex']}],
	] as const)
		await t.throwsAsync(act(action, input, own), {code: 'denied'}, action);
	for (const action of ['get', 'block', 'revoke', 'rotate', 'update', 'explain'])
		await t.throwsAsync(act(action, {id: foreign.id}, own), {code: 'not_found'}, action);
	await t.throwsAsync(act('mint', {parent: foreign.id}, own), {code: 'not_found'});
	await act('users.block', {user: 'ada'}, own);
	t.like(await show(foreign), {verdict: 'identify'});
	t.like(await act('users.get', {user: 'ada'}, own), {tenant: 'acme', state: 'blocked'});
	t.deepEqual(((await plugin.act('list', {}, own)) as {keys: unknown[]}).keys, []);
	t.like(await act('create', {tenant: 'acme'}, own), {tenant: 'acme', createdBy: 'adam'});
});

test('explain says what the holder of a key would be told', async t => {
	const {act} = await start(t);
	const {id} = await act('create', {...whole, origins: ['10.0.0.0/8']});
	t.like(await act('explain', {id}), {verdict: 'identify', principal: {id}});
	await act('teams.block', kinds.teams);
	t.like(await act('explain', {id}), {verdict: 'deny', code: 'blocked', rule: 'team:acme/search'});
});
