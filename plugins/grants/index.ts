import * as z from 'zod';
import {definePlugin, deny, type Json, type Kv, refuse, rewrite} from '../../plugin-sdk/index.ts';
import {allows, config, granted, models, rulesFor, scope} from './rules.ts';

/** The new `version` makes every process read the rules again. */
const write = async ({kv, random}: {kv: Kv; random: {uuid(): string}}, entries: Record<string, Json>): Promise<void> => {
	const {error} = await kv.put({...entries, version: random.uuid()});
	if (error) throw refuse('store_unavailable', 'The grant could not be written; nothing has changed.');
};

/** What the core hands over for `operations: ["models"]`. */
type ModelList = {models: {id: string}[]};

const name = z.string().min(1).max(200);

export default definePlugin({
	config,

	hooks: {
		/** Refuses a model that is not granted; says nothing of what is. */
		'pre-request'({principal, model}, host) {
			const rules = rulesFor(principal, host);
			const against = rules.find(rule => !allows(rule, model));
			if (against === undefined && rules.length > 0) return undefined;
			return deny({
				code: 'model_not_granted',
				message: `The model "${model.slice(0, 200)}" is not granted to this key.`,
				rule: against?.scope,
			});
		},

		/** Leaves in the list of models those that may be called. */
		'post-response'({principal, result}, host) {
			if (result === undefined) return undefined;
			const {models: all} = result as ModelList;
			const rules = principal?.tenant === undefined ? [] : rulesFor(principal, host);
			const own = all.filter(({id}) => granted(rules, id));
			return own.length === all.length ? undefined : rewrite({result: {models: own}});
		},
	},

	actions: {
		allow: {
			description: 'Sets the models of a scope, in the place of what the config says of it.',
			input: z.strictObject({scope, models}),
			async run({scope, models}, host) {
				await write(host, {[`allow:${scope}`]: models});
				return {scope, models};
			},
		},
		revoke: {
			description: 'Takes every model from a scope, those that the config or a wider scope grants too.',
			input: z.strictObject({scope}),
			async run({scope}, host) {
				await write(host, {[`allow:${scope}`]: []});
				return {scope, models: []};
			},
		},
		reset: {
			description: 'Forgets what allow and revoke said of a scope: the config alone counts again.',
			input: z.strictObject({scope}),
			async run({scope}, host) {
				await write(host, {[`allow:${scope}`]: null});
				return {scope, models: host.config.allow[scope] ?? null};
			},
		},
		list: {
			description: 'Every rule in force, and where it was written: config or action.',
			input: z.strictObject({after: scope.optional(), limit: z.int().min(1).max(1_000).default(1_000)}),
			run({after, limit}, {config, kv}) {
				const rows = kv.list('allow:', {limit, ...(after !== undefined && {after: `allow:${after}`})});
				const written: Json[] = rows.map(({key, value}) => ({scope: key.slice('allow:'.length), models: value, from: 'action'}));
				const overridden = (of: string) => kv.get(`allow:${of}`) !== undefined;
				const configured = after === undefined ? Object.entries(config.allow).filter(([of]) => !overridden(of)) : [];
				const next = rows.length === limit ? rows.at(-1)?.key.slice('allow:'.length) : undefined;
				return {grants: [...configured.map(([of, models]) => ({scope: of, models, from: 'config'})), ...written], ...(next && {next})};
			},
		},
		explain: {
			description: 'Whether a principal may call a model, and which rule decides.',
			input: z.strictObject({
				tenant: name,
				team: name.optional(),
				user: name.optional(),
				key: name.optional(),
				model: z.string().min(1).max(300),
			}),
			run({model, ...asking}, host) {
				const rules = rulesFor(asking, host).map(({scope, models}) => {
					const from = host.kv.get(`allow:${scope}`) === undefined ? 'config' : 'action';
					return {scope, models: [...models], from, allows: allows({scope, models}, model)};
				});
				const against = rules.find(rule => !rule.allows);
				const decidedBy = (against ?? rules.at(-1))?.scope ?? null;
				return {granted: rules.length > 0 && against === undefined, decidedBy, rules};
			},
		},
	},
});
