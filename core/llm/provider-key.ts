import {GatewayError} from '../errors.ts';
import type {Deployment} from './catalogue.ts';

/** Shorter ones occur by chance. */
const shortestKey = 8;

const keyOf = ({key}: Pick<Deployment, 'key'>): string | undefined => (key !== undefined && key.length >= shortestKey ? key : undefined);
const repeated = (name: string) => new GatewayError('upstream_malformed', `${name} answered with something that must not be passed on.`);

/**
 * A provider that repeats the gateway's own key has answered nothing a client may see. Call it with every piece of an
 * answer, in order; throws `upstream_malformed` as soon as they contain the key.
 */
export const refuseKey = (deployment: Pick<Deployment, 'key' | 'name'>): ((piece: Buffer) => void) => {
	const key = keyOf(deployment);
	if (key === undefined) return () => undefined;
	const secret = Buffer.from(key);
	let end = Buffer.alloc(0);
	return piece => {
		const seam = Buffer.concat([end, piece.subarray(0, secret.length - 1)]);
		if (piece.includes(secret) || seam.includes(secret)) throw repeated(deployment.name);
		end = Buffer.from((piece.length < secret.length ? Buffer.concat([end, piece]) : piece).subarray(-(secret.length - 1)));
	};
};

/** The same for an answer that came whole. */
export const refuseKeyIn = (deployment: Pick<Deployment, 'key' | 'name'>, body: Buffer): void => {
	const key = keyOf(deployment);
	if (key !== undefined && body.includes(key)) throw repeated(deployment.name);
};
