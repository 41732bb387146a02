import type {Exchange} from '../exchange.ts';
import type {ReplyHeaders} from '../upstream/reply.ts';

/** Provider headers that mean something to a client; every other one stays here. */
const handedDown = ['x-request-id', 'request-id', 'openai-version', 'openai-processing-ms'] as const;

/** What a client gets to see of an upstream's headers, and which deployment answered. */
export const clientHeaders = (headers: ReplyHeaders, exchange: Exchange): Record<string, string> => {
	const own: Record<string, string> = {};
	for (const name of handedDown) {
		const value = headers[name];
		if (typeof value === 'string') own[name] = value;
	}
	own['x-sallyport-route'] =
		exchange.attempts.length > 1 ? `${exchange.deployment}; attempts=${exchange.attempts.length}` : exchange.deployment!;
	return own;
};
