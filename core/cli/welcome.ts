import {act} from '../admin/acting.ts';
import {firstStart as itself} from '../admin/roles.ts';
import type {LoadedConfig, ResolvedConfig} from '../config.ts';
import type {Gateway} from '../gateway.ts';
import type {Running} from '../main.ts';
import type {PluginHouse} from '../plugins/house.ts';

/** The boot tree: what runs, what it may see and use, and how long it took to move in. */
const tree = (house: PluginHouse): string => {
	const list = house.introduce();
	return list
		.map(({name, version, runtime, tier, mode, onFailure, hooks, capabilities, ms}, index) => {
			const [branch, stem] = index === list.length - 1 ? ['└─', '  '] : ['├─', '│ '];
			const ways = [
				runtime,
				tier,
				...(mode === 'observe' ? ['observes only'] : []),
				...(onFailure === 'allow' ? ['passes when it fails'] : []),
			];
			return [
				`${branch} ${name} ${version}  ${ways.join(', ')}  ${ms.toFixed(0)} ms`,
				...Object.entries(hooks).map(([hook, reads]) => `${stem}   ${hook}  reads ${reads.join(', ') || 'nothing'}`),
				...(capabilities.length > 0 ? [`${stem}   may use ${capabilities.join(', ')}`] : []),
			].join('\n');
		})
		.join('\n');
};

/** The MCP servers, and where each is served; none of them runs before it is asked for. */
const servers = ({servers: all}: ResolvedConfig): string[] =>
	Object.entries(all).map(([name, {stdio, url}]) => `MCP server ${name}  ${stdio ? 'stdio' : new URL(url!).origin}  at /mcp/${name}`);

/** One word for sh, whatever is in it. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

const greeting = 'Hello! My address is ada@example.com.';

/** A call that works when pasted: of the first model, in the API that its provider speaks; undefined when the config names none. */
const curl = (url: string, key: string, {models, providers}: ResolvedConfig): string | undefined => {
	const [alias, [deployment] = []] = Object.entries(models)[0] ?? [];
	if (alias === undefined || deployment === undefined) return undefined;
	const speaks = providers[deployment.slice(0, deployment.indexOf('/'))]?.speaks;
	const messages = [{role: 'user', content: greeting}];
	const [path, body] =
		speaks === 'anthropic'
			? ['/v1/messages', {model: alias, max_tokens: 100, messages}]
			: ['/v1/chat/completions', {model: alias, messages}];
	const headers = [`authorization: Bearer ${key}`, 'content-type: application/json'].map(header => `-H ${quoted(header)}`);
	return `curl -s ${url}${path} ${headers.join(' ')} -d ${quoted(JSON.stringify(body))}`;
};

/** A tool call that works when pasted, in the demo alone: it needs no session. */
const toolCurl = (url: string, key: string, {servers: {files}}: ResolvedConfig): string | undefined => {
	if (!files?.stdio?.args.includes('data/demo-files')) return undefined;
	const method = 'tools/call';
	const name = 'read_text_file';
	const version = '2026-07-28';
	const meta = {'io.modelcontextprotocol/protocolVersion': version, 'io.modelcontextprotocol/clientCapabilities': {}};
	const params = {name, arguments: {path: 'hello.txt'}, _meta: meta};
	const own = {authorization: `Bearer ${key}`, 'content-type': 'application/json', accept: 'application/json, text/event-stream'};
	const headers = Object.entries({...own, 'mcp-protocol-version': version, 'mcp-method': method, 'mcp-name': name});
	const flags = headers.map(([header, value]) => `-H ${quoted(`${header}: ${value}`)}`).join(' ');
	return `curl -s ${url}/mcp/files ${flags} -d ${quoted(JSON.stringify({jsonrpc: '2.0', id: 1, method, params}))}`;
};

const approveLines = (url: string, adminKey: string): string[] => [
	// Elsewhere npx would look for a package of this name.
	`  cd ${quoted(process.cwd())}`,
	`  export SALLYPORT_URL=${url} SALLYPORT_ADMIN_KEY=${adminKey}`,
	'  npx sallyport approvals list',
	'  npx sallyport approvals approve <id>',
];

type Secrets = {adminKey?: string; key?: string};

/** What the first start shows, and no later one; empty when there is nothing to show. */
const shownOnce = (url: string, config: ResolvedConfig, {adminKey, key}: Secrets): string[] => {
	if (!adminKey) return [];
	const call = key && curl(url, key, config);
	const toolCall = key && toolCurl(url, key, config);
	const approves = toolCall && config.plugins.some(({use}) => use === 'approvals');
	return [
		'',
		'Shown once, and stored only as hashes:',
		`  admin key    ${adminKey}`,
		...(key ? [`  virtual key  ${key}`] : []),
		...(call ? ['', 'Try it:', `  ${call}`] : []),
		...(toolCall ? ['', 'Or call a tool:', `  ${toolCall}`] : []),
		...(approves ? ['', 'write_file waits until somebody approves it, in another terminal:', ...approveLines(url, adminKey)] : []),
	];
};

/** Runs the plugins' first-start actions, on the record; answers the first key they made. */
const firstStart = async (gateway: Gateway): Promise<string | undefined> => {
	let key: string | undefined;
	for (const {member} of gateway.house.residents) {
		const {firstStart: action} = member.plugin.manifest;
		if (!action) continue;
		const answer = (await act(gateway, itself, {plugin: member.plugin.name, action, input: {}})) as {key?: unknown} | null;
		if (typeof answer?.key === 'string') key ??= answer.key;
	}
	return key;
};

export const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));

/** Says what runs. The keys are printed before anything else can fail: nobody can show them again. */
export const welcome = async ({url, gateway, adminKey, firstStart: isFirst}: Running, {config, leftOut}: LoadedConfig): Promise<void> => {
	const shared = config.workers > 1 ? [`${config.workers} workers share it`] : [];
	console.log([`Sallyport is at ${url}`, ...shared, tree(gateway.house), ...servers(config)].join('\n'));
	for (const {kind, name, variable} of leftOut) console.log(`${kind} ${name} is left out: ${variable} is not set`);
	const {key, failed} = isFirst
		? await firstStart(gateway).then(
				key => ({key, failed: undefined}),
				(failed: unknown) => ({key: undefined, failed}),
			)
		: {};
	for (const line of shownOnce(url, config, {adminKey, key})) console.log(line);
	if (failed) console.error(`The first virtual key could not be made: ${messageOf(failed)} Make one with sallyport keys create.`);
};
