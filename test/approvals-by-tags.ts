import test, {type ExecutionContext} from 'ava';
import {approvals, type Entry, payingServer, payRule} from './helpers/approvals.ts';
import {freshFolder} from './helpers/config-file.ts';
import {startGateway} from './helpers/gateway.ts';
import {writePlugin} from './helpers/inline-world.ts';
import {wireTo} from './helpers/mcp-wire.ts';
import {user, weather} from './helpers/sdks.ts';

/** A gateway that keeps waiting what is tagged `prod`: a tool of a server, and one that a model asks for. */
const start = async (t: ExecutionContext, before: Entry[] = []) => {
	const {upstream} = await payingServer(t);
	const rule = {...payRule, asked: ['weather'], of: {tags: ['prod']}, holdMs: 0};
	const gateway = await startGateway(t, {
		servers: {one: {url: upstream.url}},
		plugins: [{use: 'virtual-keys'}, ...before, approvals([rule])],
	});
	const pays = async (key: string, headers: Record<string, string> = {}) => {
		const said = await wireTo(`${gateway.url}/mcp/one`, key).ask('tools/call', {name: 'pay', arguments: {amount: 1}}, headers);
		return JSON.stringify(said.body).includes('"state":"pending"') ? 'waits' : said.body.error ? 'refused' : 'runs';
	};
	const asks = async (key: string, headers: Record<string, string> = {}, more: object = {}) => {
		const response = await fetch(`${gateway.url}/v1/chat/completions`, {
			method: 'POST',
			headers: {'content-type': 'application/json', authorization: `Bearer ${key}`, ...headers},
			body: JSON.stringify({model: 'fast', messages: user('call the tool weather with {"city": "Ghent"}'), tools: [weather], ...more}),
		});
		return (await response.text()).includes('approval_required') ? 'waits' : 'runs';
	};
	return {gateway, pays, asks};
};

const prod = {'x-sallyport-tags': 'prod'};

test.serial('a rule about a tag is about calls that a trusted client tags so, at a server and in a model’s answer', async t => {
	const {gateway, pays, asks} = await start(t);
	const key = await gateway.key({mayTag: true});
	t.deepEqual([await pays(key), await asks(key), await asks(key, {}, {stream: true})], ['runs', 'runs', 'runs']);
	t.deepEqual([await pays(key, prod), await asks(key, prod), await asks(key, prod, {stream: true})], ['waits', 'waits', 'waits']);
	const always = await gateway.key({tags: ['prod']});
	t.deepEqual([await pays(always), await asks(always)], ['waits', 'waits'], 'and those of the key itself');
	const plain = await gateway.key();
	t.deepEqual([await pays(plain, prod), await asks(plain, prod)], ['runs', 'runs'], 'what it says of itself is ignored');
});

test.serial('a rule about a tag is about calls that a plugin before it tags so', async t => {
	const folder = await writePlugin(freshFolder(t), {
		name: 'tagger',
		reads: {'pre-request': ['operation']},
		hooks: `hooks: {'pre-request': () => allow({tag: ['prod']})}`,
	});
	const {gateway, pays, asks} = await start(t, [{use: folder}]);
	const key = await gateway.key();
	t.deepEqual([await pays(key), await asks(key)], ['waits', 'waits']);
});
