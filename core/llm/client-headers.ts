import type {Exchange} from '../exchange.ts';
import type {ReplyHeaders} from '../upstream/reply.ts';

/** Provider headers that mean something to a client; every other one stays here. */
const handedDown = ['x-request-id', 'request-id', 'openai-version', 'openai-processing-ms'] as const;

const madeId = /^(?:req_)?(?:[\da-f]{32}|[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})$|^req_[A-Za-z\d]{16,40}$/i;

/** Where guards read the answer, nothing that words could stand in: they are not shown headers. */
const wordless: Readonly<Record<(typeof handedDown)[number], RegExp>> = {
	'x-request-id': madeId,
	'request-id': madeId,
	'openai-version': /^\d{4}-\d\d-\d\d$/,
	'openai-processing-ms': /^\d{1,7}$/,
};

/** What a client gets to see of an upstream's headers, and which deployment answered. */
export const clientHeaders = (headers: ReplyHeaders, exchange: Exchange, isGuarded: boolean): Record<string, string> => {
	const own: Record<string, string> = {};
	for (const name of handedDown) {
		const value = headers[name];
		if (typeof value === 'string' && (!isGuarded || wordless[name].test(value))) own[name] = value;
	}
	own['x-sallyport-route'] =
		exchange.attempts.length > 1 ? `${exchange.deployment}; attempts=${exchange.attempts.length}` : exchange.deployment!;
	return own;
};
