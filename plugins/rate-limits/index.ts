import * as z from 'zod';
import {allow, definePlugin} from '../../plugin-sdk/index.ts';
import {countActions} from '../limits/count-actions.ts';
import {limitsOf, ofModel, ofServer, ofTool, openCounts, reservations, settled} from '../limits/counts.ts';

const name = z
	.string()
	.regex(
		/^(burst|concurrency|(requests|tokens|inputTokens|outputTokens|toolCalls)\/(second|minute|hour|day|rolling:[1-9]\d{0,3}[smhd]))$/,
		'concurrency, burst, or requests, tokens, inputTokens, outputTokens or toolCalls and a window: requests/minute',
	)
	.overwrite(name => (name === 'burst' ? 'requests/second' : name));

const config = limitsOf(name);
type Config = z.output<typeof config>;

const book = openCounts<Config>();
/** Apart from quotas, which may count the same account in the same window. */
const inLedger = (scope: string): string => `rate:${scope}`;

export default definePlugin({
	config,

	hooks: {
		/** Takes a place for this call, and the most tokens it can use, in every account that has a limit, or refuses it until there is room. */
		'pre-request'({principal: {tenant, accounts}, model, deployments, server, operation, estimate}, host) {
			const subject = server === undefined ? {model, deployments} : {server};
			const standing = book.standing({tenant, accounts, ...subject}, host);
			if (standing.length === 0) return undefined;
			const most = server === undefined ? ofModel(operation, estimate) : ofServer;
			return allow({reserve: reservations(standing, most, host, inLedger), orElse: 'rate_limited'});
		},

		/** The same for a call of a tool over MCP: here its name is known. */
		'on-tool-call'({principal: {tenant, accounts}, tool: {server, name: tool}}, host) {
			if (server === undefined) return undefined;
			const standing = book.standing({tenant, accounts, server, tool}, host);
			if (standing.length === 0) return undefined;
			return allow({reserve: reservations(standing, ofTool, host, inLedger), orElse: 'rate_limited'});
		},

		/** Replaces what was set aside by what was used; its place is free again. */
		'post-response': settled,
	},

	actions: countActions(book, {name, inLedger}),
});
