import * as z from 'zod';
import {action, type Caller, type Host, type Json} from '../../plugin-sdk/index.ts';
import type {Book, Rule} from './book.ts';
import {manner, most, placeOf} from './counts.ts';
import {account, moment, scope} from './names.ts';
import {isoOf, listed, ownScope, statesOf} from './show.ts';
import {openWriting} from './write.ts';

type Named = {name: z.ZodType<string, string>; inLedger: (scope: string) => string};

const shown = (row: Json): Json => {
	const {until, ...rest} = row as {until?: number; [key: string]: Json | undefined};
	return {...rest, ...(until !== undefined && {until: isoOf(until)})} as Json;
};

/** The actions of a plugin that counts: set, raise, reset, get, standing, list. */
export const countActions = <Config extends {timeZone?: string | undefined}>(book: Book<Rule, Config>, {name, inLedger}: Named) => {
	const {set, raise, reset} = openWriting(book);
	type Lent = Host<Config>;

	const limitsOf = (account: string, host: Lent, caller: Caller): Json => {
		const states = statesOf(book, account, name => ({account: inLedger(account), ...placeOf(name)}), host.config.timeZone, host, caller);
		const limits = states.map(({name, rule: {limit, notifyAt: _, ...rest}, spent, reserved, remaining, resetsAt}) => ({
			name,
			limit,
			spent,
			reserved,
			remaining,
			resetsAt: isoOf(resetsAt),
			...rest,
		}));
		return limits as Json;
	};

	return {
		set: action({
			description:
				'Sets a limit of an account in the place of what the config says; null takes it away, or every limit where none is named.',
			tenantAdmin: true,
			input: z
				.strictObject({account: scope, name: name.optional(), limit: most, ...manner})
				.refine(({name, limit}) => name !== undefined || limit === null, {error: 'name the limit, like tokens/day', path: ['name']}),
			async run({account, name, ...rule}, host: Lent, caller) {
				await set(account, name, rule as Json, host, caller);
				return {account, name: name ?? null, ...rule} as Json;
			},
		}),
		raise: action({
			description: 'Adds to a limit of an account until a moment; it ends by itself.',
			input: z.strictObject({account, name, by: z.int().min(1).max(1e12), until: moment}),
			async run({account, name, by, until}, host: Lent) {
				await raise(account, name, {by, until: Date.parse(until)}, host);
				return {account, name, by, until};
			},
		}),
		reset: action({
			description: 'Forgets what set and raise said of an account, or of one limit of it: the config alone counts again.',
			tenantAdmin: true,
			input: z.strictObject({account: scope, name: name.optional()}),
			async run({account, name}, host: Lent, caller) {
				await reset(account, name, host, caller);
				return {account};
			},
		}),
		get: action({
			description: 'What an account may use, has used and has set aside of each of its limits; the tightest first.',
			access: 'read',
			tenantAdmin: true,
			input: z.strictObject({account}),
			run: ({account}, host: Lent, caller) => ({account, limits: limitsOf(account, host, caller)}),
		}),
		standing: action({
			description: 'What the key that it is called with may use, has used and has set aside of each of its own limits.',
			access: 'read',
			tenantAdmin: true,
			input: z.strictObject({}),
			run: (_, host: Lent, caller) => ({limits: limitsOf(ownScope(caller), host, caller)}),
		}),
		list: action({
			description:
				'Every limit that was written down, and where: config, action, tenant (by its own admins) or raise. get has what is used.',
			access: 'read',
			tenantAdmin: true,
			input: z.strictObject({after: z.string().min(1).max(700).optional(), limit: z.int().min(1).max(1_000).default(1_000)}),
			run(page, {config, kv}: Lent, caller) {
				const configured = book.configured(config).map(({rule: {notifyAt: _, ...rule}, ...of}) => ({...of, rule: rule as Json}));
				return listed(page, {kv, configured, shown, call: 'name'}, caller);
			},
		}),
	};
};
