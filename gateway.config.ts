import {defineConfig, env, optionalEnv} from './plugin-sdk/index.ts';

export default defineConfig({
	listen: '127.0.0.1:8787',
	store: 'data/gateway.db',

	providers: {
		// The built-in model: npm start runs it beside the gateway.
		local: {speaks: 'openai', baseUrl: 'http://127.0.0.1:8788/v1', key: 'local-models-need-no-secret'},
		'local-anthropic': {speaks: 'anthropic', baseUrl: 'http://127.0.0.1:8788/v1', key: 'local-models-need-no-secret'},
		// Served when their keys are set; ask for openai/<model> or anthropic/<model>.
		openai: {speaks: 'openai', key: optionalEnv('OPENAI_API_KEY')},
		anthropic: {speaks: 'anthropic', key: optionalEnv('ANTHROPIC_API_KEY')},
	},

	// What clients ask for, best deployment first; the next is tried when one fails.
	models: {
		demo: ['local/echo', 'local-anthropic/echo'],
		embed: ['local/embed'],
	},

	prices: {
		'local/*': {inputUsdPerMTok: 0.1, outputUsdPerMTok: 0.4, maxOutputTokens: 4_096},
		'local-anthropic/*': {inputUsdPerMTok: 0.1, outputUsdPerMTok: 0.4, maxOutputTokens: 4_096},
	},

	// MCP servers: each at /mcp/<name>, all of them at /mcp.
	servers: {
		files: {stdio: {command: 'node', args: ['node_modules/@modelcontextprotocol/server-filesystem/dist/index.js', 'data/demo-files']}},
	},

	// A tool call in a model's answer that a rule denies is replaced by words that say so; without this, the answer is cut.
	// askedTools: {denied: 'replace'},

	// Requests go down this list, responses come back up it.
	plugins: [
		{use: 'virtual-keys'},
		{use: 'grants', config: {allow: {'tenant:default': {models: ['*'], servers: ['*'], tools: ['*'], prompts: ['*'], resources: ['*']}}}},
		// What MCP tools say of themselves: trusted when first seen, hidden when it changes.
		{use: 'tool-pins', config: {first: {'*': 'trust'}}},
		// sallyport approvals list shows what waits, and approve, edit or refuse decides it.
		{
			use: 'approvals',
			config: {
				rules: [
					{
						name: 'writes',
						tools: ['files/write_file', 'files/edit_file', 'files/move_file', 'files/create_directory'],
						reason: 'a file changes',
					},
				],
			},
		},
		{use: 'masking', config: {mask: ['email', 'card', 'iban', 'phone', 'us-ssn', 'ip', 'api-key']}},
		{use: 'budgets', config: {window: 'month', limitUsd: {'*': 20}}},
		// {use: 'quotas', config: {limits: {'*': {'tokens/day': 5_000_000}}}},
		// {use: 'rate-limits', config: {limits: {'*': {'requests/minute': 60, burst: 10, concurrency: 10}}}},
		// {use: 'session-caps', config: {caps: {'*': {requests: 100, toolCalls: 200, usd: 2}}}},
		// {use: 'webhooks', config: {endpoints: [{url: 'https://hooks.example/in'}]}, grants: {http: ['hooks.example'], secrets: {webhook: env('WEBHOOK_SECRET')}}},
		// After a change of this list, or of a plugin: npx sallyport plugins lock
		// {use: 'secrets'},
		// Tell first what it finds; 'deny', 'taint' or 'strip' when you have seen that it finds the right things.
		// {use: 'injection', mode: 'observe', config: {action: 'flag'}},
		// {use: 'word-list', config: {words: ['codename'], action: 'deny'}},
		// {use: 'visible-text'},
		// {use: 'canaries', config: {answers: 'deny', toolArguments: 'deny', toolResults: 'taint'}},
		// {use: 'content-rules', config: {links: {hosts: ['docs.example']}, images: {hosts: []}, html: {}}},
		// {use: 'moderation', config: {model: 'local/moderation'}, grants: {models: ['local/moderation']}},
	],
});
