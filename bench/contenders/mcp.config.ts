import {defineConfig} from '../../plugin-sdk/index.ts';
import {journal, listen, store, upstreamUrl} from './place.ts';

/** Every shipped plugin that has a say in a tool call, each with a rule that applies to it. */
export default defineConfig({
	listen,
	store,
	journal,
	servers: {raw: {url: upstreamUrl}},
	toolPrices: {'raw/echo': {usdPerCall: 0.000_001}},
	plugins: [
		{use: 'virtual-keys'},
		{use: 'grants', config: {allow: {'*': {servers: ['raw'], tools: ['raw/*'], arguments: {'raw/echo': {path: {within: ['/srv']}}}}}}},
		{use: 'tool-pins', config: {first: {'*': 'trust'}}},
		{use: 'masking', config: {mask: ['email', 'card', 'iban', 'phone', 'us-ssn', 'ip', 'api-key'], in: ['request', 'response']}},
		{use: 'rate-limits', config: {limits: {'*/tool:raw/*': {'requests/minute': 1_000_000, concurrency: 1_000}}}},
		{use: 'quotas', config: {limits: {'*': {'toolCalls/month': 1_000_000_000}}}},
		{use: 'budgets', config: {window: 'month', limitUsd: {'*': 1_000_000, 'server:raw': 1_000_000}}},
	],
});
