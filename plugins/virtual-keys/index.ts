import * as z from 'zod';
import {definePlugin} from '../../plugin-sdk/index.ts';
import {ofTeams, ofTenants, ofUsers} from './holder-actions.ts';
import {creating, expiring, listing, minting, nothing, one, own, rotating, updating} from './inputs.ts';
import * as lineage from './lineage.ts';
import * as ring from './ring.ts';
import {againstHolders, passOf, verdictOn} from './standing.ts';

export default definePlugin({
	config: z.strictObject({}),

	hooks: {
		/** Says whose key this is, or why it does not open any more; a key it does not know is left to other plugins. */
		'pre-auth'({credential: {sha256}, ip}, {kv, clock}) {
			const pass = sha256 === undefined ? undefined : passOf(kv, sha256);
			return pass && verdictOn(pass, ip, clock.now);
		},

		/** Whoever identified them: nobody under a blocked, expired or deleted tenant, team or user goes on. */
		'pre-request'({principal}, {kv, clock}) {
			// Of its own keys it has just said so.
			if (principal.key?.startsWith('key_')) return undefined;
			return againstHolders(kv, principal, clock.now);
		},
	},

	actions: {
		create: {
			description: 'Creates a key. The answer is the only place where the key itself is ever shown.',
			tenantAdmin: true,
			input: creating,
			run: (input, host, caller) => ring.create(input, host, caller),
		},
		createFirst: {
			description: 'Creates the first key; refused once there is any.',
			input: nothing,
			run: (_, host, caller) => ring.createFirst(host, caller),
		},
		mint: {
			description: 'Creates a child of a key that may mint: it has what its parent has, or less, and ends with it.',
			tenantAdmin: true,
			input: minting,
			run: (input, host, caller) => lineage.mint(input, host, caller),
		},
		children: {
			description: 'The children of a key, without their secrets.',
			access: 'read',
			tenantAdmin: true,
			input: own,
			run: ({id}, host, caller) => lineage.children(id, host, caller),
		},
		endChild: {
			description: 'Ends a child of a key, and its children, for good.',
			tenantAdmin: true,
			input: one,
			run: ({id}, host, caller) => ring.endChild(id, host, caller),
		},
		get: {
			description: 'One key, without its secret.',
			access: 'read',
			tenantAdmin: true,
			input: one,
			run: ({id}, host, caller) => ring.get(id, host, caller),
		},
		explain: {
			description: 'What the holder of a key would be told now: who it is, or why it does not open.',
			access: 'read',
			tenantAdmin: true,
			input: one,
			run: ({id}, host, caller) => ring.explain(id, host, caller),
		},
		list: {
			description: 'Keys, without their secrets; `next`, where there is one, is the `after` of the next page.',
			access: 'read',
			tenantAdmin: true,
			input: listing,
			run: (input, host, caller) => ring.list(input, host, caller),
		},
		update: {
			description: 'Changes what is named of a key: its tags, metadata, origins, and what it may.',
			tenantAdmin: true,
			input: updating,
			run: (input, host, caller) => ring.update(input, host, caller),
		},
		rotate: {
			description: 'A new secret for a key; the old one works for graceSeconds more.',
			tenantAdmin: true,
			input: rotating,
			run: ({id, graceSeconds}, host, caller) => ring.rotate(id, graceSeconds, host, caller),
		},
		block: {
			description: 'Refuses a key and its children until it is unblocked.',
			tenantAdmin: true,
			input: one,
			run: ({id}, host, caller) => ring.block(id, host, caller),
		},
		unblock: {
			description: 'Lets a blocked key in again.',
			tenantAdmin: true,
			input: one,
			run: ({id}, host, caller) => ring.unblock(id, host, caller),
		},
		revoke: {
			description: 'Ends a key and its children for good.',
			tenantAdmin: true,
			input: one,
			run: ({id}, host, caller) => ring.revoke(id, host, caller),
		},
		expire: {
			description: 'Sets when a key ends; null takes the end away.',
			tenantAdmin: true,
			input: expiring,
			run: ({id, at}, host, caller) => ring.expire(id, at, host, caller),
		},
		...ofTenants,
		...ofTeams,
		...ofUsers,
	},
});
