import * as z from 'zod';
import {definePlugin, deny, identify} from '../../plugin-sdk/index.ts';
import {creating, expiring, listing, nothing, one, rotating} from './inputs.ts';
import type {Door} from './key.ts';
import * as ring from './ring.ts';

/** A revoked key is told what a key is told that never was. The annotation is for the journal alone. */
const refusal = ({state, principal}: Door) => {
	const annotate = {key: principal.id};
	if (state === 'revoked') return deny({code: 'unauthenticated', message: 'This key is not known here.', annotate});
	if (state === 'blocked') return deny({code: 'key_blocked', message: 'This key is blocked.', annotate});
	return deny({code: 'key_expired', message: 'This key has expired.', annotate});
};

export default definePlugin({
	config: z.strictObject({}),

	hooks: {
		/** Says whose key this is, or why it does not open any more; a key it does not know is left to other plugins. */
		'pre-auth'({credential: {sha256}}, {kv, clock}) {
			if (sha256 === undefined) return undefined;
			const door = kv.get(`key:${sha256}`) as Door | undefined;
			if (door === undefined) return undefined;
			if (door.state !== undefined) return refusal(door);
			if (door.until !== undefined && door.until <= clock.now()) return refusal(door);
			return identify(door.principal);
		},
	},

	actions: {
		create: {
			description: 'Creates a key. The answer is the only place where the key itself is ever shown.',
			input: creating,
			run: (input, host, caller) => ring.create(input, host, caller),
		},
		createFirst: {
			description: 'Creates the first key; refused once there is any.',
			input: nothing,
			run: (_, host, caller) => ring.createFirst(host, caller),
		},
		get: {description: 'One key, without its secret.', input: one, run: ({id}, host) => ring.get(id, host)},
		list: {
			description: 'Keys, without their secrets; `next`, where there is one, is the `after` of the next page.',
			input: listing,
			run: (input, host) => ring.list(input, host),
		},
		rotate: {
			description: 'A new secret for a key; the old one works for graceSeconds more.',
			input: rotating,
			run: ({id, graceSeconds}, host) => ring.rotate(id, graceSeconds, host),
		},
		block: {description: 'Refuses a key until it is unblocked.', input: one, run: ({id}, host) => ring.block(id, host)},
		unblock: {description: 'Lets a blocked key in again.', input: one, run: ({id}, host) => ring.unblock(id, host)},
		revoke: {description: 'Ends a key for good.', input: one, run: ({id}, host) => ring.revoke(id, host)},
		expire: {
			description: 'Sets when a key ends; null takes the end away.',
			input: expiring,
			run: ({id, at}, host) => ring.expire(id, at, host),
		},
	},
});
