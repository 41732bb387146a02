import {createHmac, hash} from 'node:crypto';
import test from 'ava';
import {type Arguments, ada, pay, startApprovals as start, type Verdict} from '../../test/helpers/started-approvals.ts';

test('a call that was approved claims its approval, once', async t => {
	const {call, asked, decide} = await start(t);
	const id = await asked();
	t.like(await call(), {verdict: 'hold', approval: {id}}, 'the same call waits for the same approval');
	await decide(id);
	t.like(await call(), {verdict: 'allow', claim: {name: id}});
	t.not((await call()).approval.id, id);
});

test('an approval for other arguments is none for those that another rule is about', async t => {
	const large = {name: 'large', tools: ['bank/pay'], arguments: {amount: {min: 1_000}}, fourEyes: true, who: {roles: ['owner']}};
	const {call, asked, decide} = await start(t, [large, pay]);
	await decide(await asked({amount: 5}), {decision: 'approve', minutes: 60, anyArguments: true});
	t.like(await call({amount: 999}), {verdict: 'allow'});
	t.like(await call({amount: 1_000}), {verdict: 'hold', rule: 'large'}, 'two owners have to look at that');
});

test('who lost the claim needs another approval, also where nobody wrote down that it was used', async t => {
	const {plugin, asked, decide, clock} = await start(t);
	const id = await asked();
	await decide(id);
	clock.now += 1;
	const tool = {
		server: 'bank',
		name: 'pay',
		arguments: {amount: 5},
		argumentsDigest: hash('sha256', '{"amount":5}'),
		definitionDigest: 'of pay',
	};
	const said = (await plugin.ask('on-tool-call', {principal: ada, tool, source: 'mcp', lostClaim: id})) as Verdict;
	t.is(said.verdict, 'hold');
	t.not(said.approval.id, id);
});

test('every part of a call tells it from another', async t => {
	const {asked, call} = await start(t, [{...pay, asked: ['*'], tools: ['*']}]);
	const id = await asked();
	for (const principal of [
		{...ada, key: 'key_2'},
		{...ada, tenant: 'other'},
		{...ada, id: 'vk:2'},
		{...ada, user: 'eve'},
	])
		t.not((await call({amount: 5}, {principal} as never)).approval.id, id);
	t.not(await asked({amount: 6}), id);
	t.not(await asked({amount: 5}, {tool: 'payAll'}), id);
	t.not(await asked({amount: 5}, {source: 'model'}), id);
	t.is(await asked(), id);
});

test('an approval can be decided, and used, until it expires', async t => {
	const {call, asked, decide, clock} = await start(t, [{...pay, expiresSeconds: 60}]);
	const late = await asked();
	clock.now += 60_000;
	await t.throwsAsync(decide(late), {message: 'It is expired already.'});
	const unused = await asked();
	t.not(unused, late);
	await t.throwsAsync(decide(late), {code: 'not_found'});
	clock.now += 59_999;
	await decide(unused);
	clock.now += 1;
	t.like(await call(), {verdict: 'hold'});
});

test('a refusal stands until it expires; then one may ask again', async t => {
	const {call, asked, decide, clock} = await start(t, [{...pay, expiresSeconds: 60}]);
	await decide(await asked(), {decision: 'refuse', reason: 'no'});
	clock.now += 59_999;
	t.like(await call(), {verdict: 'deny'});
	clock.now += 1;
	t.like(await call(), {verdict: 'hold'});
});

test('an hour is an hour, and what runs in it claims nothing', async t => {
	const {call, asked, decide, clock} = await start(t, [{...pay, expiresSeconds: 60}]);
	await decide(await asked(), {decision: 'approve', minutes: 60, anyArguments: true});
	clock.now += 3_599_999;
	for (const amount of [5, 6]) t.like(await call({amount}), {verdict: 'allow', claim: undefined});
	t.like(await call({amount: 5}, {principal: {...ada, key: 'key_2'}} as never), {verdict: 'hold'});
	t.like(await call({amount: 5}, {tool: 'payAll'}), {verdict: 'hold'});
	clock.now += 1;
	t.like(await call({amount: 6}), {verdict: 'hold'});
});

test('an edit runs once, with the new arguments', async t => {
	const {call, asked, decide} = await start(t);
	const id = await asked();
	t.like(await decide(id, {decision: 'edit', arguments: {amount: 1}}), {state: 'approved', edited: true});
	t.like(await call(), {verdict: 'rewrite', patch: {arguments: {amount: 1}}, claim: {name: id}});
	t.like(await call(), {verdict: 'hold'});
});

test('nobody decides about what they asked for themselves, by whichever name', async t => {
	for (const name of ['user:acme/ada', 'key_1', 'key:key_1', 'vk:1', 'team:acme/search', 'tenant:acme']) {
		const {asked, decide} = await start(t, [pay], {people: {admin_1: [name]}});
		const id = await asked();
		for (const words of [{decision: 'approve'}, {decision: 'refuse', reason: 'x'}])
			await t.throwsAsync(decide(id, words, {actor: 'admin_1', role: 'approver'}), {code: 'denied'}, name);
		t.like(await decide(id, undefined, {actor: 'admin_2', role: 'approver'}), {state: 'approved'});
	}
	const {asked, decide} = await start(t);
	await t.throwsAsync(decide(await asked(), undefined, 'ada'), {code: 'denied'}, 'an admin of the same name');
});

test('a rule says who decides: roles, or certain admins', async t => {
	const {asked, decide} = await start(t, [
		{...pay, who: {roles: ['approver']}},
		{name: 'named', tools: ['bank/close'], who: {admins: ['admin_7']}},
	]);
	const id = await asked();
	await t.throwsAsync(decide(id, undefined, {actor: 'o', role: 'owner'}), {code: 'denied'});
	t.like(await decide(id, undefined, {actor: 'a', role: 'approver'}), {state: 'approved'});
	const close = await asked({}, {tool: 'close'});
	await t.throwsAsync(decide(close, undefined, {actor: 'o', role: 'owner'}), {code: 'denied'});
	t.like(await decide(close, undefined, {actor: 'admin_7', role: 'approver'}), {state: 'approved'});
});

test('two votes at once on two replicas are both there, and one that refuses wins', async t => {
	const {plugin, call, asked, decide, clock} = await start(t, [{...pay, fourEyes: true}]);
	const id = await asked();
	await decide(id, {decision: 'approve'}, 'olga');
	// What another replica wrote before it had heard of the first.
	await plugin.put({[`vote:${id}:ben`]: {by: 'ben', at: clock.now + 1, terms: {}}});
	t.like(await plugin.act('show', {id}), {state: 'approved', by: ['olga', 'ben']});
	await plugin.put({[`vote:${id}:cleo`]: {by: 'cleo', at: clock.now, refused: 'no'}});
	t.like(await call(), {verdict: 'deny'});
});

test('words that do not go together are refused, and nothing is decided', async t => {
	const {asked, decide, act} = await start(t);
	const id = await asked();
	for (const words of [
		{decision: 'edit'},
		{decision: 'edit', arguments: {}, minutes: 5},
		{decision: 'approve', arguments: {}},
		{decision: 'approve', anyArguments: true},
		{decision: 'approve', reason: 'x'},
		{decision: 'refuse'},
		{decision: 'refuse', reason: 'x', minutes: 5},
		{decision: 'approve', minutes: 0},
		{decision: 'maybe'},
	])
		await t.throwsAsync(decide(id, words), {code: 'invalid_request'}, JSON.stringify(words));
	t.like(await act('show', {id}), {state: 'pending'});
	for (const none of ['apr_', 'apr_0', `${id}0`, 'vote:x', `apr_${'0'.repeat(24)}-${'0'.repeat(10)}`])
		await t.throwsAsync(decide(none), {code: 'not_found'});
});

test('a key that asks for too much waits, and asks nobody', async t => {
	const {call, clock} = await start(t, [{...pay, expiresSeconds: 60}], {mostPending: 2});
	for (const amount of [1, 2]) t.is((await call({amount})).verdict, 'hold');
	t.like(await call({amount: 3}), {verdict: 'deny', code: 'rate_limited'});
	t.is((await call({amount: 3}, {principal: {...ada, key: 'key_2'}} as never)).verdict, 'hold');
	clock.now += 60_000;
	t.is((await call({amount: 3})).verdict, 'hold');
	t.like(await call({amount: 4, memo: 'x'.repeat(100_000)}), {verdict: 'deny', code: 'denied'});
});

test('what is over does not stay in the book', async t => {
	const {plugin, asked, decide, clock} = await start(t, [{...pay, expiresSeconds: 1}]);
	for (let amount = 0; amount < 60; amount++) {
		const id = await asked({amount});
		if (amount % 3 === 0) await decide(id);
		clock.now += 660_000;
	}
	t.true(Object.keys(plugin.kv()).length < 60, String(Object.keys(plugin.kv()).length));
});

test('a rule is about the tools, models and principals that it names, and the arguments', async t => {
	const {call} = await start(t, [
		{name: 'files', tools: ['bank/write_*'], unless: {path: {within: ['/tmp']}}},
		{name: 'large', tools: ['bank/send'], arguments: {amount: {min: 100}}},
		{name: 'to', tools: ['bank/mail'], arguments: {'to.address': {like: ['*@evil.example', 'ceo@*']}}},
		{name: 'team', tools: ['bank/team'], of: {teams: ['acme/search'], tags: ['prod*']}},
		{name: 'said', asked: ['rm']},
	]);
	const holds = async (tool: string, args: Arguments = {}, more: object = {}) => (await call(args, {tool, ...more})).verdict === 'hold';
	for (const path of ['/etc/passwd', '/tmp/../etc', '', '/tmpx']) t.true(await holds('write_file', {path}), path);
	t.true(await holds('write_file'), 'nor where it is missing');
	t.false(await holds('write_file', {path: '/tmp/a'}));
	for (const amount of [100, 1e9, '7', ['x']] as never[]) t.true(await holds('send', {amount}), String(amount));
	for (const amount of [99, -1]) t.false(await holds('send', {amount}));
	t.true(await holds('mail', {to: {address: 'a@evil.example'}} as never));
	t.true(await holds('mail', {to: [{address: 'a@b'}, {address: 'ceo@b'}]} as never));
	t.false(await holds('mail', {to: {address: 'a@evil.example.org'}} as never));
	t.false(await holds('team'));
	t.true(await holds('team', {}, {tags: ['production']}));
	t.false(await holds('team', {}, {principal: {...ada, team: 'other'}, tags: ['production']}));
	t.true(await holds('rm', {}, {source: 'model'}));
	t.false(await holds('rm'));
	t.false(await holds('rmdir', {}, {source: 'model'}));
});

test('a model call waits for its model and its very body', async t => {
	const {plugin} = await start(t, [{name: 'dear', models: ['opus*']}]);
	const ask = async (model: string, requestDigest: string) => {
		const said = (await plugin.ask('pre-request', {principal: ada, operation: 'chat', model, tags: [], requestDigest})) as
			| Verdict
			| undefined;
		if (said?.put) await plugin.put(said.put);
		return said;
	};
	const id = (await ask('opus-5', 'a'))!.approval.id;
	t.is(await ask('haiku', 'a'), undefined);
	await t.throwsAsync(plugin.act('decide', {id, decision: 'edit', arguments: {}}), {code: 'invalid_request'});
	await plugin.act('decide', {id, decision: 'approve'});
	t.is((await ask('opus-5', 'b'))!.verdict, 'hold');
	t.like(await ask('opus-5', 'a'), {verdict: 'allow', claim: {name: id}});
});

test('a webhook tells, signed, of each approval that is wanted, once, and its token decides it, once', async t => {
	const url = 'https://hooks.example/in';
	const {plugin, call, asked, requests, act} = await start(t, [pay], {webhook: {url}});
	const id = await asked();
	t.deepEqual(requests, [], 'not before it is stored');
	for (let times = 0; times < 3; times++) await call();
	const end = performance.now() + 5_000;
	while (!(`told:${id}` in plugin.kv()) && performance.now() < end) await new Promise(resolve => setTimeout(resolve, 5));
	t.is(requests.length, 1);
	const {headers = {}, body = ''} = requests[0]!;
	const signature = createHmac('sha256', Buffer.alloc(24, 7)).update(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`);
	t.is(headers['webhook-signature'], `v1,${signature.digest('base64')}`);
	const {type, data} = JSON.parse(body) as {type: string; data: {id: string; token: string; arguments?: object; call: object}};
	t.is(type, 'approval.wanted');
	t.like(data, {id, rule: 'pay', call: {tool: 'pay', server: 'bank', user: 'ada'}, arguments: undefined});
	t.false(JSON.stringify(plugin.kv()).includes(data.token.split('.')[1]!), 'the token is kept as a hash');
	const approver = {actor: 'bot', role: 'approver'} as const;
	for (const token of [id, `${id}.`, `${id}.apt_x`, data.token.slice(0, -1), '', '.'])
		await t.throwsAsync(act('answer', {token, decision: 'approve'}, approver), {code: 'not_found'}, token);
	t.like(await act('answer', {token: data.token, decision: 'approve'}, approver), {id, state: 'approved'});
	await t.throwsAsync(act('answer', {token: data.token, decision: 'approve'}, approver), {code: 'not_found'});
	t.like(await call(), {verdict: 'allow'});
});

test('two replicas that ask for one call at once ask for one approval, and each later one is another', async t => {
	const [here, there] = [await start(t), await start(t)];
	there.clock.now += 20;
	const id = await here.asked();
	t.is(await there.asked(), id);
	const ids = new Set([id]);
	for (let times = 0; times < 20; times++) {
		await here.decide([...ids].at(-1)!);
		t.like(await here.call(), {verdict: 'allow'});
		ids.add(await here.asked());
	}
	t.is(ids.size, 21);
});

test('a rule for tainted sessions is about those alone, and by name', async t => {
	const {call} = await start(t, [
		{name: 'any', tools: ['bank/pay'], tainted: true},
		{name: 'named', tools: ['bank/look'], tainted: ['injection', 'prompt-leak']},
		{name: 'asked', asked: ['bash'], tainted: true},
	]);
	const holds = async (tool: string, taints?: string[], more: object = {}) =>
		(await call({}, {tool, ...(taints && {taints}), ...more} as never)).verdict === 'hold';
	t.false(await holds('pay'));
	t.false(await holds('pay', []));
	t.true(await holds('pay', ['anything']));
	t.false(await holds('look', ['anything']));
	t.true(await holds('look', ['anything', 'injection']));
	t.false(await holds('bash', [], {source: 'model'}));
	t.true(await holds('bash', ['injection'], {source: 'model'}));
});
