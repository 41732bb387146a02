import * as z from 'zod';
import {definePlugin, deny, type Json, mayReach} from '../../plugin-sdk/index.ts';
import {judge} from './ask.ts';
import {type Approval, rows} from './book.ts';
import {askerOf} from './call.ts';
import {answer, answering, decide, deciding, found, shown} from './decide.ts';
import {config} from './rules.ts';

/** At once, in `list`: with their votes, and each of them shown, in a good part less than the time that an action has. */
const mostLookedAt = 500;

const states = ['pending', 'approved', 'refused', 'used', 'expired'] as const;

export default definePlugin({
	config,

	hooks: {
		/** Keeps a model call waiting that has to be approved: of this body, by this key. */
		'pre-request'({principal, operation, model, tags, requestDigest, taints = [], lostClaim}, host) {
			if (requestDigest === undefined) return undefined;
			const call = {source: 'request' as const, ...askerOf(principal), operation, model, digest: requestDigest};
			const verdict = judge({call, tags, taints}, {lostClaim}, host);
			// Nobody can have edited it: decide refuses to.
			return verdict?.verdict === 'rewrite' ? deny({message: 'A model call has no arguments that could be edited.'}) : verdict;
		},

		/** Keeps a tool call waiting that has to be approved, over MCP or in a model's answer: with these arguments, of this tool as it is. */
		'on-tool-call'({principal, tool, tags, source, taints = [], lostClaim, continues}, host) {
			const {server, name, argumentsDigest: digest, definitionDigest} = tool;
			const call = {source, ...askerOf(principal), server, tool: name, digest, definitionDigest};
			return judge({call, tags, taints, arguments: tool.arguments}, {lostClaim, continues}, host);
		},
	},

	actions: {
		list: {
			description:
				'Approvals that were asked for. A page may hold fewer than there are, or none: `next`, where there is one, is the `after` of the next page.',
			access: 'read',
			tenantAdmin: true,
			input: z.strictObject({
				state: z.enum(states).optional(),
				limit: z.int().min(1).max(1_000).default(100),
				after: z.string().max(100).optional(),
			}),
			run({state, limit, after}, host, caller): Json {
				const page = host.kv.list('approval:', {limit: mostLookedAt, ...(after !== undefined && {after: `approval:${after}`})});
				const approvals: Json[] = [];
				for (const [index, {key, value}] of page.entries()) {
					const approval = value as Approval;
					const one = mayReach(caller, approval.call.tenant) ? shown(approval, host) : undefined;
					if (one && (state === undefined || one.state === state)) approvals.push(one);
					const isLast = index + 1 === page.length;
					if (isLast ? page.length === mostLookedAt : approvals.length === limit) return {approvals, next: key.slice('approval:'.length)};
				}
				return {approvals};
			},
		},
		show: {
			description: 'One approval, with the arguments that it is about unless an auditor asks.',
			access: 'read',
			tenantAdmin: true,
			input: z.strictObject({id: z.string().max(100)}),
			run({id}, host, caller) {
				const approval = found(id, host, caller);
				const args = caller.role === 'auditor' ? undefined : host.kv.get(rows.arguments(id));
				return {...shown(approval, host), ...(args !== undefined && {arguments: args})};
			},
		},
		decide: {
			description: 'Approves a call, edits its arguments, or refuses it with a reason.',
			access: 'approve',
			tenantAdmin: true,
			input: deciding,
			run: ({id, ...input}, host, caller) => decide(found(id, host, caller), input, host, caller),
		},
		answer: {
			description: 'Decides by the token that a webhook brought, which works once.',
			access: 'approve',
			tenantAdmin: true,
			input: answering,
			run: ({token, ...input}, host, caller) => answer(token, input, host, caller),
		},
	},
});
