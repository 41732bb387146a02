import {createHash} from 'node:crypto';
import test, {type ExecutionContext} from 'ava';
import type {Caller} from '../../plugin-sdk/index.ts';
import {startPlugin} from '../../plugin-sdk/testing.ts';
import {seededRandom} from '../../test/helpers/seeded-random.ts';
import {areWithin} from './origins.ts';

type Shown = {id: string; key: string; state: string; [field: string]: unknown};
type Principal = {
	tenant: string;
	team?: string;
	user?: string;
	tags: string[];
	accounts: string[];
	mayTag?: boolean;
	expiresAt?: number;
};

const noon = Date.parse('2026-11-22T12:00:00Z');
const at = (hours: number): string => new Date(noon + hours * 3_600_000).toISOString();

const start = async (t: ExecutionContext) => {
	const clock = {now: noon};
	const plugin = await startPlugin(import.meta.url, {now: () => clock.now});
	t.teardown(plugin.close);
	const act = (name: string, input?: unknown, caller: string | Caller = 'olga') => plugin.act(name, input, caller) as Promise<Shown>;
	const show = ({key}: Shown, ip = '10.1.1.1') =>
		plugin.ask('pre-auth', {credential: {sha256: createHash('sha256').update(key).digest('hex')}, ip});
	return {plugin, act, show, clock};
};

const rich = {
	tenant: 'acme',
	team: 'search',
	user: 'ada',
	tags: ['eu', 'batch'],
	origins: ['10.0.0.0/8', '2001:db8::/32'],
	expiresAt: at(10),
	mayMint: 2,
};

test('a child has what its parent has, and its parent pays too', async t => {
	const {act, show} = await start(t);
	const parent = await act('create', rich);
	const child = await act('mint', {parent: parent.id, mayMint: true});
	const grandchild = await act('mint', {parent: child.id, name: 'the last'});
	t.like(child, {tenant: 'acme', team: 'search', user: 'ada', parent: parent.id, tags: ['eu', 'batch']});
	t.deepEqual((await show(grandchild))?.principal as unknown, {
		id: grandchild.id,
		key: grandchild.id,
		tenant: 'acme',
		team: 'search',
		user: 'ada',
		tags: ['eu', 'batch'],
		accounts: ['tenant:acme', 'team:acme/search', 'user:acme/ada', `key:${parent.id}`, `key:${child.id}`, `key:${grandchild.id}`],
		expiresAt: noon + 36_000_000,
	});
	t.like(await show(grandchild, '11.0.0.1'), {verdict: 'deny', code: 'origin_not_allowed'});
	await t.throwsAsync(act('mint', {parent: grandchild.id}), {code: 'denied'});
	t.like(await act('children', {id: parent.id}), {keys: {0: {id: child.id}}});
	t.like(await act('list', {parent: child.id}), {keys: {0: {id: grandchild.id}}});
});

for (const [what, wider] of Object.entries({
	'another tenant': {tenant: 'globex'},
	'another team': {team: 'ads'},
	'another user': {user: 'eve'},
	'a tag less': {tags: ['eu']},
	'a tag that its parent does not have': {tags: ['eu', 'batch', 'vip']},
	'a later end': {expiresAt: at(11)},
	'a longer life': {ttlSeconds: 36_001},
	'a wider origin': {origins: ['10.0.0.0/7']},
	'another origin': {origins: ['10.0.0.0/8', '192.0.2.1']},
	'every origin': {origins: ['0.0.0.0/0', '::/0']},
	'trust in its tags': {mayTag: true},
	'as many generations': {mayMint: 2},
}))
	test(`a child with ${what} is not made, and none is changed into one`, async t => {
		const {plugin, act} = await start(t);
		const parent = await act('create', rich);
		const before = Object.keys(plugin.kv()).length;
		await t.throwsAsync(act('mint', {parent: parent.id, ...wider}), {code: 'invalid_request'});
		t.is(Object.keys(plugin.kv()).length, before);
		const child = await act('mint', {parent: parent.id});
		const {tags, origins, mayTag, mayMint} = wider as Record<string, unknown>;
		if (tags || origins || mayTag || mayMint) await t.throwsAsync(act('update', {id: child.id, ...wider}), {code: 'invalid_request'});
		if ('expiresAt' in wider) await t.throwsAsync(act('expire', {id: child.id, at: wider.expiresAt}), {code: 'invalid_request'});
	});

test('a key that may not mint has no children', async t => {
	const {act} = await start(t);
	const {id} = await act('create');
	await t.throwsAsync(act('mint', {parent: id}), {code: 'denied'});
	await act('update', {id, mayMint: true});
	t.like(await act('mint', {parent: id}), {parent: id, tenant: 'default'});
	await act('update', {id, mayMint: false});
	await t.throwsAsync(act('mint', {parent: id}), {code: 'denied'});
	await t.throwsAsync(act('mint', {}), {code: 'invalid_request'});
});

for (const [deed, code] of [
	['block', 'key_blocked'],
	['revoke', 'unauthenticated'],
	['expire', 'key_expired'],
] as const)
	test(`what ${deed} does to a key it does to its children in the same instant, and to theirs`, async t => {
		const {act, show} = await start(t);
		const parent = await act('create', {mayMint: 2});
		const child = await act('mint', {parent: parent.id, mayMint: true});
		const grandchild = await act('mint', {parent: child.id});
		const aside = await act('mint', {parent: parent.id});
		for (const key of [child, grandchild, aside]) t.like(await show(key), {verdict: 'identify'});
		const more = deed === 'expire' ? {at: at(-1)} : {};
		await act(deed, {id: child.id, ...more});
		for (const key of [child, grandchild]) t.like(await show(key), {verdict: 'deny', code});
		for (const key of [parent, aside]) t.like(await show(key), {verdict: 'identify'});
		await act(deed, {id: parent.id, ...more});
		for (const key of [parent, child, grandchild, aside]) t.like(await show(key), {verdict: 'deny', code});
		await t.throwsAsync(act('mint', {parent: parent.id}), {code: 'conflict'});
		if (deed !== 'block') return;
		await act('unblock', {id: parent.id});
		t.like(await show(aside), {verdict: 'identify'});
		t.like(await show(grandchild), {verdict: 'deny', code});
	});

test('a parent that is narrowed takes from its children what it loses', async t => {
	const {act, show, clock} = await start(t);
	const parent = await act('create', {mayTag: true, mayMint: true});
	const child = await act('mint', {parent: parent.id, mayTag: true, tags: ['own']});
	t.like(await show(child), {principal: {mayTag: true, tags: ['own']}});
	await act('update', {id: parent.id, mayTag: false, tags: ['eu'], origins: ['192.0.2.0/24']});
	t.like(await show(child, '192.0.2.1'), {principal: {mayTag: undefined, tags: ['eu', 'own']}});
	t.like(await show(child), {verdict: 'deny', code: 'origin_not_allowed'});
	await act('expire', {id: parent.id, at: at(1)});
	t.like(await show(child, '192.0.2.1'), {principal: {expiresAt: noon + 3_600_000}});
	clock.now = noon + 3_600_000;
	t.like(await show(child, '192.0.2.1'), {verdict: 'deny', code: 'key_expired'});
});

test('a holder mints from its own key alone, and sees its own children alone', async t => {
	const {plugin, act} = await start(t);
	const [own, other] = [await act('create', {mayMint: true}), await act('create', {mayMint: true})];
	const holder: Caller = {actor: own.id, role: 'holder', tenant: 'default', key: own.id};
	const child = await act('mint', {}, holder);
	t.like(child, {parent: own.id, createdBy: own.id});
	await t.throwsAsync(act('mint', {parent: other.id}, holder), {code: 'denied'});
	await t.throwsAsync(act('children', {id: other.id}, holder), {code: 'denied'});
	t.is(((await plugin.act('children', {}, holder)) as {keys: unknown[]}).keys.length, 1);
});

test('whose a child is, an operator may say where its parent is nobody’s; a holder makes nobody of one', async t => {
	const {act} = await start(t);
	const parents = [
		await act('create', {tenant: 'acme', mayMint: 2}),
		await act('create', {tenant: 'acme', team: 'search', mayMint: 2}),
		await act('create', {tenant: 'acme', user: 'ada', mayMint: 2}),
	];
	for (const {id, team, user} of parents) {
		const holder: Caller = {actor: id, role: 'holder', tenant: 'acme', key: id};
		const own = {...(team !== undefined && {team}), ...(user !== undefined && {user})};
		for (const named of [{user: 'eve'}, {team: 'finance'}, {...own, user: 'eve'}, {...own, team: 'finance'}])
			await t.throwsAsync(act('mint', named, holder), {code: 'invalid_request', message: /^(team|user): not that of its parent$/});
		const made = await act('mint', own, holder);
		t.deepEqual([made.team, made.user], [team, user]);
	}
	const given = await act('mint', {parent: parents[0]!.id, team: 'finance', user: 'eve', mayMint: true});
	t.like(given, {team: 'finance', user: 'eve'});
	t.like(await act('mint', {}, {actor: given.id, role: 'holder', tenant: 'acme', key: given.id}), {team: 'finance', user: 'eve'});
	t.like(await act('update', {id: given.id, name: 'still hers'}), {name: 'still hers', user: 'eve'});
});

test('whatever is asked for, a child that is made has nothing that its parent does not have', async t => {
	const seed = 20_261_122;
	const random = seededRandom(seed);
	const {plugin, act, show} = await start(t);
	const one = <T>(...of: T[]): T => of[Math.floor(random.next() * of.length)]!;
	const some = <T>(...of: T[]): T[] => of.filter(() => random.chance(0.5));
	const ranges = ['10.0.0.0/8', '10.1.0.0/16', '10.1.1.1', '2001:db8::/32', '::ffff:10.1.0.0/112', '0.0.0.0/0'];
	const wanted = () => ({
		...(random.chance(0.4) && {tenant: one('acme', 'globex')}),
		...(random.chance(0.4) && {team: one('search', 'ads')}),
		...(random.chance(0.4) && {user: one('ada', 'eve')}),
		...(random.chance(0.5) && {tags: some('a', 'b', 'c')}),
		...(random.chance(0.4) && {origins: one(some(...ranges), [one(...ranges)])}),
		...(random.chance(0.4) && {expiresAt: at(one(1, 2, 3))}),
		...(random.chance(0.4) && {mayTag: random.chance(0.5)}),
		...(random.chance(0.5) && {mayMint: one<number | boolean>(false, true, 1, 2, 3, 4)}),
	});
	let made = 0;
	for (let round = 0; round < 150; round++) {
		const origins = <Input extends {origins?: string[]}>(input: Input) =>
			input.origins?.length === 0 ? {...input, origins: undefined} : input;
		const family = [await act('create', origins({...wanted(), mayMint: one(1, 2, 3)}))];
		for (let depth = 0; depth < 3; depth++) {
			const parent = family.at(-1)!;
			const child = await act('mint', {parent: parent.id, ...origins(wanted())}).catch((error: {code?: string}) => error.code);
			if (typeof child === 'string' || child === undefined) {
				t.true(['invalid_request', 'denied'].includes(String(child)), `seed ${seed}: ${child}`);
				break;
			}
			made++;
			const note = `seed ${seed}, round ${round}: ${JSON.stringify([parent, child])}`;
			const principal = async (key: Shown) => ((await plugin.act('explain', {id: key.id})) as {principal: Principal}).principal;
			const [up, down] = [await principal(parent), await principal(child)];
			t.is(down.tenant, up.tenant, note);
			t.true(up.team === undefined || down.team === up.team, note);
			t.true(up.user === undefined || down.user === up.user, note);
			t.true(
				up.accounts.every(account => down.accounts.includes(account)),
				note,
			);
			t.true(
				up.tags.every(tag => down.tags.includes(tag)),
				note,
			);
			t.true(up.mayTag || down.tags.every(tag => up.tags.includes(tag)), note);
			t.true(up.mayTag || !down.mayTag, note);
			t.true((down.expiresAt ?? Number.POSITIVE_INFINITY) <= (up.expiresAt ?? Number.POSITIVE_INFINITY), note);
			t.true(Number(child.mayMint ?? 0) < Number(parent.mayMint), note);
			if (parent.origins && child.origins) t.true(areWithin(child.origins as string[], parent.origins as string[]), note);
			for (const ip of ['10.1.1.1', '10.2.0.1', '11.0.0.1', '2001:db8::1', '2001:db9::1']) {
				const opens = async (key: Shown) => (await show(key, ip))?.verdict === 'identify';
				t.true(!(await opens(child)) || (await opens(parent)), `${note} from ${ip}`);
			}
			family.push(child);
		}
	}
	t.true(made > 30, `only ${made} children were made`);
});
