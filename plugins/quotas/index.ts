import * as z from 'zod';
import {allow, definePlugin} from '../../plugin-sdk/index.ts';
import {countActions} from '../limits/count-actions.ts';
import {limitsOf, openCounts, reservations, settled} from '../limits/counts.ts';

const name = z
	.string()
	.regex(
		/^(requests|tokens|inputTokens|outputTokens)\/(minute|hour|day|week|month|quarter|total|rolling:[1-9]\d{0,3}[smhd])$/,
		'requests, tokens, inputTokens or outputTokens, and a window: tokens/day, requests/rolling:5h',
	);

const config = limitsOf(name).extend({notifyAt: limitsOf(name).shape.notifyAt.unwrap().default([50, 80, 100])});
type Config = z.output<typeof config>;

const book = openCounts<Config>();
const inLedger = (scope: string): string => scope;

export default definePlugin({
	config,

	hooks: {
		/** Sets aside the most tokens that this call can use, and the call itself, in every account that has a limit, or refuses it. */
		'pre-request'({principal: {tenant, accounts}, model, deployments, operation, estimate}, host) {
			const standing = book.standing({tenant, accounts, model, deployments}, host);
			if (standing.length === 0) return undefined;
			return allow({reserve: reservations(standing, {operation, estimate}, host, inLedger), orElse: 'quota_exceeded'});
		},

		/** Replaces what was set aside by what was used. */
		'post-response': settled,
	},

	actions: countActions(book, {name, inLedger}),
});
