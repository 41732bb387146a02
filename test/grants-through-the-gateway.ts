import test, {type ExecutionContext} from 'ava';
import {calls} from './helpers/admins.ts';
import {startGateway} from './helpers/gateway.ts';

const setup = async (t: ExecutionContext, allow: Record<string, unknown>) => {
	const gateway = await startGateway(t, baseUrl => ({
		providers: {
			dead: {speaks: 'openai', baseUrl: 'http://127.0.0.1:9/v1', key: 'sk-of-the-dead-one'},
			local: {speaks: 'openai', baseUrl, key: 'sk-of-the-local-one'},
			claude: {speaks: 'anthropic', baseUrl, key: 'sk-of-the-other-one'},
		},
		models: {fast: ['dead/echo', 'local/echo'], lost: ['dead/echo'], sonnet: ['claude/echo']},
		plugins: [{use: 'virtual-keys'}, {use: 'grants', config: {allow}}],
	}));
	const call = async (key: string, body: object, path = '/v1/chat/completions') => {
		const response = await fetch(`${gateway.url}${path}`, {
			method: 'POST',
			headers: {authorization: `Bearer ${key}`, 'content-type': 'application/json'},
			body: JSON.stringify({messages: [{role: 'user', content: 'hi'}], max_tokens: 10, ...body}),
		});
		const {error} = (await response.json()) as {error?: {code: string; rule?: string; message: string}};
		return {status: response.status, code: error?.code, rule: error?.rule, message: error?.message};
	};
	const models = async (key: string) => {
		const response = await fetch(`${gateway.url}/v1/models`, {headers: {authorization: `Bearer ${key}`}});
		return ((await response.json()) as {data: {id: string}[]}).data.map(({id}) => id);
	};
	const last = async () => (await gateway.journal()).findLast(({kind}) => kind === 'exchange');
	return {gateway, call, models, last};
};

test('a provider that is not granted is never asked, not even as the first of a plan', async t => {
	const {gateway, call, models, last} = await setup(t, {'*': {models: ['*'], providers: ['local']}});
	const key = await gateway.key();
	t.is((await call(key, {model: 'fast'})).status, 200);
	const record = await last();
	t.deepEqual(
		record?.attempts?.map(({deployment}) => deployment),
		['local/echo'],
	);
	t.like(await call(key, {model: 'lost'}), {status: 403, code: 'provider_not_granted', rule: '*'});
	t.like(await call(key, {model: 'dead/echo'}), {status: 403, code: 'provider_not_granted'});
	t.is((await last())?.attempts, undefined);
	t.deepEqual(await models(key), ['fast']);
});

test('operations and output are granted apart from models, and the list of models is always there', async t => {
	const {gateway, call, models} = await setup(t, {
		'*': {models: ['*'], providers: ['local', 'claude']},
		'team:acme/chatters': {operations: ['chat'], maxOutputTokens: 50},
	});
	const key = await gateway.key({tenant: 'acme', team: 'chatters'});
	t.is((await call(key, {model: 'fast'})).status, 200);
	t.like(await call(key, {model: 'fast', max_tokens: 51}), {status: 403, code: 'output_not_granted', rule: 'team:acme/chatters'});
	t.like(await call(key, {model: 'fast', max_tokens: undefined}), {status: 403, code: 'output_not_granted'});
	t.like(await call(key, {model: 'fast', n: 6}), {status: 403, code: 'output_not_granted'});
	t.like(await call(key, {model: 'sonnet'}, '/v1/messages'), {status: 403, code: 'operation_not_granted'});
	t.deepEqual(await models(key), ['fast', 'sonnet']);
});

test('what is narrowed by an action counts from the next request on, and so does what an admin of the tenant says', async t => {
	const {gateway, call} = await setup(t, {'*': ['fast', 'sonnet']});
	const key = await gateway.key({tenant: 'acme'});
	const asking = {model: 'local/echo'};
	t.is((await call(key, asking)).code, 'model_not_granted');
	await gateway.act('grants', 'allow', {scope: '*', models: ['*']});
	t.is((await call(key, asking)).status, 200);
	const {body} = await calls(gateway)('/admin/admins', {name: 'olga', role: 'admin', tenant: 'acme'});
	const allow = (input: object) => calls(gateway)('/admin/plugins/grants/actions/allow', input, {key: body.key});
	t.is((await allow({scope: 'tenant:acme', models: ['fast']})).status, 200);
	t.like(await call(key, asking), {code: 'model_not_granted', rule: 'tenant:acme'});
	t.is((await allow({scope: 'tenant:other', models: ['fast']})).body.code, 'denied');
	await gateway.act('grants', 'revoke', {scope: '*'});
	t.like(await call(key, {model: 'fast'}), {code: 'model_not_granted', rule: '*'});
});
