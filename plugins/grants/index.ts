import {definePlugin, deny, type Json, rewrite, route, within} from '../../plugin-sdk/index.ts';
import {asked, type Decision, decide, type Question} from './decide.ts';
import {allowing, explaining, listing, one, request} from './inputs.ts';
import {listed} from './list.ts';
import {narrowed, ofMcp} from './mcp.ts';
import {type Right, rightOf} from './rights.ts';
import {config, nothing} from './rules.ts';
import {amend, present, replace} from './write.ts';

/** What the core hands over for `operations: ["models"]`. */
type ModelList = {models: {id: string; deployments?: string[]}[]};

/** A verdict has room for so many. */
const mostPlanned = 20;

const explained = (right: Right, question: Question): Json => {
	const aspects = asked(question);
	const about = right.filter(({rule}) => aspects.some(aspect => rule[aspect] !== undefined));
	const decision = decide(right, question);
	const rules = about.map(standing => ({
		scope: standing.scope,
		...Object.fromEntries(aspects.map(aspect => [aspect, standing.rule[aspect]])),
		from: standing.from,
		// By itself: whether somebody has to grant it first is not this rule's to say.
		allows: decide([standing, anybody], question).granted,
	}));
	const last = about.findLast(({from}) => from !== 'tenant') ?? about.at(-1);
	const decidedBy = (decision.granted ? last : decision.by)?.scope ?? null;
	const {granted} = decision;
	if (decision.granted) return {granted, decidedBy, ...(decision.plan && {plan: decision.plan}), rules} as Json;
	return {granted, decidedBy, code: decision.code, message: decision.message, rules} as Json;
};

const anybody: Right[number] = {
	scope: '*',
	rule: {models: ['*'], servers: ['*'], tools: ['*'], prompts: ['*'], resources: ['*']},
	from: 'config',
};

const refusal = ({granted, code, message, by, tainted}: Decision & {message?: string; tainted?: string[]}) =>
	granted
		? undefined
		: deny({
				code,
				message: message ?? 'This is not granted to this key.',
				rule: by?.scope,
				...(tainted && {annotate: {tainted: tainted.join(', ')}}),
			});

export default definePlugin({
	config,

	hooks: {
		/** Refuses what is not granted, and says nothing of what is; of the deployments planned, leaves those that are. */
		'pre-request'({principal, model, operation, server, params, deployments, estimate, taints}, host) {
			const mcp = ofMcp(operation, server, params);
			if (mcp) return refusal(decide(rightOf(principal, host), {...mcp, taints}));
			const decision = decide(rightOf(principal, host), {
				model,
				operation,
				deployments,
				inputTokens: estimate?.inputTokens,
				outputTokens: estimate?.maxOutputTokens,
			});
			if (decision.granted) return decision.plan && route(decision.plan.slice(0, mostPlanned));
			return refusal(decision);
		},

		/** Refuses a tool that is not granted, and arguments that no rule allows; of what a model asks for, what no tainted session may. */
		'on-tool-call'({principal, tool: {server, name: tool, arguments: given}, source, taints}, host) {
			const question = source === 'model' ? {asked: tool} : {operation: 'tools/call', server, tool, arguments: given};
			return refusal(decide(rightOf(principal, host), {...question, taints}));
		},

		/** Leaves in a list what may be called, by the very decision that is made when it is. */
		'post-response'({principal, operation, result, taints}, host) {
			if (result === undefined) return undefined;
			const right = principal?.tenant === undefined ? [] : rightOf(principal, host);
			if (operation !== 'models') return rewrite({result: narrowed(right, operation, result, taints)});
			const {models: all} = result as ModelList;
			const own = all.filter(({id: model, deployments}) => decide(right, {model, deployments}).granted);
			return own.length === all.length ? undefined : rewrite({result: {models: own}});
		},
	},

	actions: {
		allow: {
			description: 'Sets what is named of the rule of a scope, over what the config says of it; null takes an aspect out of it.',
			tenantAdmin: true,
			input: allowing,
			async run({scope, ...change}, host, caller) {
				return {scope, ...(await amend(scope, change, host, caller))} as Json;
			},
		},
		revoke: {
			description: 'Takes every model, server and tool from a scope, those that the config or a wider scope grants too.',
			tenantAdmin: true,
			input: one,
			async run({scope}, host, caller) {
				await replace(scope, nothing, host, caller);
				return {scope, ...nothing} as Json;
			},
		},
		reset: {
			description: 'Forgets what allow and revoke said of a scope: the config alone counts again.',
			tenantAdmin: true,
			input: one,
			async run({scope}, host, caller) {
				await replace(scope, null, host, caller);
				return {scope, models: null, ...present(scope, host, caller)} as Json;
			},
		},
		list: {
			description: 'Every rule in force, and where it was written: config, action, or an admin of a tenant.',
			access: 'read',
			tenantAdmin: true,
			input: listing,
			run: (input, host, caller) => listed(input, host, caller),
		},
		explain: {
			description: 'Whether a principal may do what is named, and which rule decides.',
			access: 'read',
			input: explaining,
			run({tenant, team, user, key, accounts, ...question}, host) {
				return explained(rightOf({tenant, team, user, key, accounts}, host), question);
			},
		},
		explainRequest: {
			description: 'The same of a whole request, for sallyport explain.',
			access: 'read',
			tenantAdmin: true,
			input: request,
			run({principal, model, operation, deployments, estimate: {inputTokens, maxOutputTokens: outputTokens}}, host, caller) {
				within(caller, principal.tenant);
				return explained(rightOf(principal, host), {model, operation, deployments, inputTokens, outputTokens});
			},
		},
	},
});
