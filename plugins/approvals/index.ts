import * as z from 'zod';
import {definePlugin, deny, type Json, mayReach} from '../../plugin-sdk/index.ts';
import {judge} from './ask.ts';
import {type Approval, rows} from './book.ts';
import {askerOf} from './call.ts';
import {answer, answering, decide, deciding, found, shown} from './decide.ts';
import {config} from './rules.ts';

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
		'on-tool-call'({principal, tool, source, taints = [], lostClaim, continues}, host) {
			const {server, name, argumentsDigest: digest, definitionDigest} = tool;
			const call = {source, ...askerOf(principal), server, tool: name, digest, definitionDigest};
			return judge({call, tags: principal.tags, taints, arguments: tool.arguments}, {lostClaim, continues}, host);
		},
	},

	actions: {
		list: {
			description: 'Approvals that were asked for; `next`, where there is one, is the `after` of the next page.',
			access: 'read',
			tenantAdmin: true,
			input: z.strictObject({
				state: z.enum(states).optional(),
				limit: z.int().min(1).max(1_000).default(100),
				after: z.string().max(100).optional(),
			}),
			run({state, limit, after}, host, caller): Json {
				const approvals: Json[] = [];
				let key = after === undefined ? undefined : `approval:${after}`;
				for (;;) {
					const page = host.kv.list('approval:', {limit: 200, ...(key !== undefined && {after: key})});
					for (const row of page) {
						const approval = row.value as Approval;
						key = row.key;
						if (!mayReach(caller, approval.call.tenant)) continue;
						const one = shown(approval, host);
						if (state !== undefined && one.state !== state) continue;
						approvals.push(one);
						if (approvals.length === limit) return {approvals, next: key.slice('approval:'.length)};
					}
					if (page.length < 200) return {approvals};
				}
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
