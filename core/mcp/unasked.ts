import {askerOf} from './reach.ts';
import {cancel} from './respond.ts';
import type {Message} from './rpc.ts';
import type {Session} from './session.ts';
import type {Visit} from './visit.ts';

/** Takes what nobody waits to hear an answer to: what a session's client answers to a question, and what it notifies of. */
export const takeUnasked = (
	{gateway, exchange, req, door}: Visit,
	{owner, offer}: Session,
	message: Exclude<Message, {kind: 'request'}>,
): void => {
	if (message.kind === 'answer') {
		gateway.mcp.push.answered(owner, message.id, message);
		return;
	}
	const {method, params} = message;
	if (method === 'notifications/cancelled') cancel(gateway, owner, params.requestId);
	if (method === 'notifications/roots/list_changed' && door !== undefined)
		gateway.mcp.servers
			.get(door)
			?.channel({owner, offer, era: 'legacy'}, askerOf(gateway, exchange, req.headers))
			.link.tell(method, {});
};
