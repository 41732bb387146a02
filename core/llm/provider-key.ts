import {GatewayError} from '../errors.ts';
import type {Deployment} from './catalogue.ts';

/** Shorter ones occur by chance. */
const shortestKey = 8;

/**
 * A provider that repeats the gateway's own key has answered nothing a client may see. Call it with every piece of an
 * answer, in order; throws `upstream_malformed` as soon as they contain the key.
 */
export const refuseKey = ({key, name}: Pick<Deployment, 'key' | 'name'>): ((piece: Buffer) => void) => {
	if (key === undefined || key.length < shortestKey) return () => undefined;
	const secret = Buffer.from(key);
	let end = Buffer.alloc(0);
	return piece => {
		const seam = Buffer.concat([end, piece.subarray(0, secret.length - 1)]);
		if (piece.includes(secret) || seam.includes(secret)) {
			throw new GatewayError('upstream_malformed', `${name} answered with something that must not be passed on.`);
		}
		end = Buffer.from((piece.length < secret.length ? Buffer.concat([end, piece]) : piece).subarray(-(secret.length - 1)));
	};
};
