import type {Exchange} from '../exchange.ts';
import type {Gateway} from '../gateway.ts';

const readAs = ['text[]', 'window', 'result'];

/** Whether anybody looks at what this exchange's server says: words of its that would reach the client past them are left out. */
export const isGuarded = ({hooks}: Pick<Gateway, 'hooks'>, exchange: Exchange): boolean =>
	readAs.some(path => hooks.reads('post-response', path, exchange));
