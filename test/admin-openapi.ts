import test from 'ava';
import {startGateway, type TestGateway} from './helpers/gateway.ts';

type Schema = {
	type?: string;
	properties?: Record<string, Schema>;
	required?: string[];
	additionalProperties?: boolean | Schema;
	items?: Schema;
	anyOf?: Schema[];
	default?: unknown;
	enum?: unknown[];
	minimum?: number;
	maximum?: number;
};
type Operation = {
	operationId: string;
	summary: string;
	tags?: string[];
	requestBody?: {required: boolean; content: Record<string, {schema: Schema}>};
	responses: Record<string, {$ref?: string; description?: string}>;
};
type Document = {
	openapi: string;
	info: {title: string; version: string};
	security: unknown;
	components: {
		securitySchemes: Record<string, {type: string; scheme: string}>;
		responses: Record<string, {description: string; content: object}>;
	};
	paths: Record<string, Record<string, Operation>>;
};

const plugins = [
	{use: 'virtual-keys'},
	{use: 'grants', config: {allow: {'*': ['*']}}},
	{use: 'budgets', config: {window: 'month' as const, limitUsd: {'*': 1}}},
	{use: 'budgets', as: 'daily', config: {window: 'day' as const}},
];

const documentOf = async ({url, adminKey}: TestGateway): Promise<Document> => {
	const response = await fetch(`${url}/admin/openapi.json`, {headers: {authorization: `Bearer ${adminKey}`}});
	return (await response.json()) as Document;
};

const post = async ({url, adminKey}: TestGateway, path: string, input: unknown) => {
	const response = await fetch(`${url}${path}`, {
		method: 'POST',
		headers: {authorization: `Bearer ${adminKey}`, 'content-type': 'application/json'},
		body: input === undefined ? undefined : JSON.stringify(input),
	});
	return {status: response.status, answer: (await response.json()) as {code?: string; detail?: string}};
};

/** What an operator would write into a field of this name, where its schema alone does not tell. */
const samples: Record<string, unknown> = {
	id: `key_${'0'.repeat(32)}`,
	key: `key_${'0'.repeat(32)}`,
	parent: `key_${'0'.repeat(32)}`,
	at: '2999-01-01T00:00:00Z',
	expiresAt: '2999-01-01T00:00:00Z',
	until: '2999-01-01T00:00:00Z',
	scope: 'tenant:acme',
	account: 'tenant:acme',
	models: ['fast'],
	providers: ['local'],
	servers: ['files'],
	tools: ['files/*'],
	deployments: ['local/echo'],
	origins: ['10.0.0.0/8'],
	timeZone: 'Europe/Berlin',
	window: 'week',
};
/** `list` pages by what it lists. */
const afters: Record<string, string> = {
	'virtual-keys': `key_${'0'.repeat(32)}`,
	grants: 'tenant:acme',
	budgets: 'tenant:acme',
	daily: 'tenant:acme',
};

/** What an action needs of an operator, though its schema cannot say so. */
const needed: Record<string, string[]> = {
	'/admin/plugins/virtual-keys/actions/mint': ['parent'],
	'/admin/plugins/virtual-keys/actions/children': ['id'],
};

/** Called by the gateway itself, which says more with every release: see `explains` in a manifest. */
const isForTheGateway = (path: string): boolean => path.endsWith('/explainRequest');

/** The plainest value that a schema allows. */
const plainest = ({type, enum: values, anyOf, minimum, maximum, items, properties, required}: Schema): unknown => {
	if (values) return values[0];
	if (anyOf) return plainest(anyOf[0]!);
	if (type === 'array') return items ? [plainest(items)] : [];
	if (type === 'object') return Object.fromEntries((required ?? []).map(name => [name, plainest(properties?.[name] ?? {})]));
	if (type === 'integer' || type === 'number') return Math.min(maximum ?? 60, Math.max(minimum ?? 0, 60));
	return type === 'boolean' ? true : type === 'null' ? null : 'acme';
};

const isType = (value: unknown, {type, anyOf}: Schema): boolean => {
	if (anyOf) return anyOf.some(schema => isType(value, schema));
	if (type === 'null') return value === null;
	if (type === 'array') return Array.isArray(value);
	if (type === 'integer') return Number.isInteger(value);
	return typeof value === type;
};

test('the document is OpenAPI 3.1, complete, and refers to nothing that is not in it', async t => {
	const gateway = await startGateway(t, {plugins});
	const {openapi, info, components, paths, security, ...rest} = await documentOf(gateway);
	t.regex(openapi, /^3\.1\.\d+$/);
	t.true(info.title !== '' && info.version !== '');
	t.deepEqual(rest, {});
	t.deepEqual(security, [{admin: []}]);
	t.like(components.securitySchemes.admin, {type: 'http', scheme: 'bearer'});

	const operations = Object.entries(paths).flatMap(([path, methods]) =>
		Object.entries(methods).map(([method, operation]) => ({path, method, operation})),
	);
	t.is(new Set(operations.map(({operation}) => operation.operationId)).size, operations.length, 'operation ids are unique');
	for (const {path, method, operation} of operations) {
		t.regex(path, /^\/admin\/[\w./{}-]+$/);
		t.true(method === 'get' || method === 'post', path);
		t.true(operation.summary.length > 5, path);
		for (const [status, response] of Object.entries(operation.responses)) {
			t.regex(status, /^(?:[1-5]\d\d|default)$/);
			if (response.$ref) t.truthy(components.responses[response.$ref.replace('#/components/responses/', '')]?.description, response.$ref);
			else t.is(typeof response.description, 'string');
		}
		t.truthy(operation.responses['200'] && operation.responses.default, path);
	}
});

test('every action of every plugin is in the document, and nothing else is', async t => {
	const gateway = await startGateway(t, {plugins});
	const {paths} = await documentOf(gateway);
	const actions = gateway.gateway.house
		.introduce()
		.flatMap(({name, actions}) => actions.map(action => `/admin/plugins/${name}/actions/${action}`));
	t.true(actions.length > 20);
	const own = Object.keys(paths).filter(path => !path.includes('/actions/'));
	t.deepEqual(Object.keys(paths).sort(), [...own, ...actions].sort());
	t.true(['/admin/plugins', '/admin/openapi.json', '/admin/admins', '/admin/admins/{id}/revoke'].every(path => own.includes(path)));
	for (const path of actions) {
		const {post: operation} = paths[path]!;
		const schema = operation?.requestBody?.content['application/json']?.schema;
		t.is(schema?.type, 'object', path);
		if (!isForTheGateway(path)) t.is(schema?.additionalProperties, false, path);
	}
	t.is((await fetch(`${gateway.url}/admin/plugins`, {headers: {authorization: `Bearer ${gateway.adminKey}`}})).status, 200);
});

test('an action takes what the document says it takes, and refuses what the document says it does not', async t => {
	const gateway = await startGateway(t, {plugins});
	const {paths} = await documentOf(gateway);
	for (const [path, {post: operation}] of Object.entries(paths)) {
		if (!operation || !path.includes('/actions/') || isForTheGateway(path)) continue;
		const {schema} = operation.requestBody!.content['application/json']!;
		const {properties = {}, required = []} = schema;
		const plugin = path.split('/')[3]!;
		const sampleOf = (name: string): unknown =>
			name === 'after' ? afters[plugin] : name in samples ? samples[name] : plainest(properties[name]!);
		for (const [name, property] of Object.entries(properties)) {
			t.true(isType(sampleOf(name), property), `${path} ${name}: the sample does not fit its schema`);
			if ('default' in property) t.false(required.includes(name), `${path} ${name} has a default and is required`);
		}
		const isTaken = async (input: unknown, why: string) => {
			const {status, answer} = await post(gateway, path, input);
			t.not(answer.code, 'invalid_request', `${path}, ${why}: ${answer.detail}`);
			t.true(status === 200 || status === 404 || status === 409, `${path}, ${why}: ${status}`);
		};
		const isRefused = async (input: unknown, field: string, why: string) => {
			const {answer} = await post(gateway, path, input);
			t.is(answer.code, 'invalid_request', `${path}, ${why}`);
			t.true(answer.detail?.includes(field), `${path}, ${why}: ${answer.detail}`);
		};

		const least = Object.fromEntries([...required, ...(needed[path] ?? [])].map(name => [name, sampleOf(name)]));
		await isTaken(least, 'only what is required');
		t.is(operation.requestBody!.required, required.length > 0);
		if (required.length === 0 && !needed[path]) await isTaken(undefined, 'no body at all');
		for (const name of Object.keys(properties)) await isTaken({...least, [name]: sampleOf(name)}, `with ${name}`);
		for (const name of required)
			await isRefused(Object.fromEntries(Object.entries(least).filter(([field]) => field !== name)), name, `without ${name}`);
		for (const name of Object.keys(properties)) await isRefused({...least, [name]: [[7]]}, name, `with a wrong ${name}`);
		await isRefused({...least, noSuchField: 1}, 'noSuchField', 'with a field that is not in it');
	}
});
