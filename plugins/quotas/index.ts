import * as z from 'zod';
import {allow, definePlugin} from '../../plugin-sdk/index.ts';
import {countActions} from '../limits/count-actions.ts';
import {limitsOf, ofModel, ofServer, ofTool, openCounts, reservations, settled} from '../limits/counts.ts';

const name = z
	.string()
	.regex(
		/^(requests|tokens|inputTokens|outputTokens|toolCalls)\/(minute|hour|day|week|month|quarter|total|rolling:[1-9]\d{0,3}[smhd])$/,
		'requests, tokens, inputTokens, outputTokens or toolCalls, and a window: tokens/day, requests/rolling:5h',
	);

const config = limitsOf(name).extend({notifyAt: limitsOf(name).shape.notifyAt.unwrap().default([50, 80, 100])});
type Config = z.output<typeof config>;

const book = openCounts<Config>();
const inLedger = (scope: string): string => scope;

export default definePlugin({
	config,

	hooks: {
		/** Sets aside the most tokens that this call can use, and the call itself, in every account that has a limit, or refuses it. */
		'pre-request'({principal: {tenant, accounts}, model, deployments, server, operation, estimate}, host) {
			const subject = server === undefined ? {model, deployments} : {server};
			const standing = book.standing({tenant, accounts, ...subject}, host);
			if (standing.length === 0) return undefined;
			const most = server === undefined ? ofModel(operation, estimate) : ofServer;
			return allow({reserve: reservations(standing, most, host, inLedger), orElse: 'quota_exceeded'});
		},

		/** The same for a call of a tool over MCP: here its name is known. */
		'on-tool-call'({principal: {tenant, accounts}, tool: {server, name: tool}}, host) {
			if (server === undefined) return undefined;
			const standing = book.standing({tenant, accounts, server, tool}, host);
			if (standing.length === 0) return undefined;
			return allow({reserve: reservations(standing, ofTool, host, inLedger), orElse: 'quota_exceeded'});
		},

		/** Replaces what was set aside by what was used. */
		'post-response': settled,
	},

	actions: countActions(book, {name, inLedger}),
});
