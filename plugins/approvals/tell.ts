import type {Json} from '../../plugin-sdk/index.ts';
import {signed} from '../webhooks/sign.ts';
import {type Approval, type Lent, rows, tokensOf} from './book.ts';

const underWay = new Set<string>();
const triedAt = new Map<string, number>();
const againMs = 5_000;
const mostRemembered = 10_000;

const mostTokens = 5;

const messageOf = (approval: Approval, token: string, {kv, config}: Lent): Json => {
	const {id, rule, reason, call, needs, expiresAt} = approval;
	const args = config.webhook!.arguments ? kv.get(rows.arguments(id)) : undefined;
	const told = {id, rule, reason, call, votes: needs.votes, expiresAt: new Date(expiresAt).toISOString(), token};
	return JSON.parse(JSON.stringify({...told, ...(args !== undefined && {arguments: args})})) as Json;
};

const send = async (approval: Approval, lent: Lent): Promise<string | undefined> => {
	const {clock, config, http, kv, random, secrets} = lent;
	const {url, secret, timeoutMs} = config.webhook!;
	const {value: token, sha256} = random.secret('apt_');
	// One that was told, and not confirmed, may have arrived: its token is as good.
	const stored = await kv.put({[rows.token(approval.id)]: [...tokensOf(lent, approval.id), sha256].slice(-mostTokens)});
	if (stored.error) return stored.error.message;
	const timestamp = new Date(clock.now()).toISOString();
	const body = JSON.stringify({type: 'approval.wanted', timestamp, data: messageOf(approval, `${approval.id}.${token}`, lent)});
	const headers = signed({id: `msg_${random.uuid()}`, body}, secrets.get(secret), clock.now());
	const {value, error} = await http.fetch({url, method: 'POST', headers, body, timeoutMs});
	if (!value) return error!.message;
	if (value.status < 200 || value.status > 299) return `answered ${value.status}`;
	await kv.put({[rows.told(approval.id)]: clock.now()});
	return undefined;
};

/**
 * Begins to tell the webhook of an approval that is wanted, once it is stored, and waits for nothing. One that is not delivered is tried
 * again when the call is asked about again, five seconds later at the soonest.
 */
export const tell = (approval: Approval, lent: Lent): void => {
	const {config, kv, clock, log, metrics} = lent;
	const {id} = approval;
	if (!config.webhook || underWay.has(id) || clock.now() - (triedAt.get(id) ?? 0) < againMs || kv.get(rows.told(id)) !== undefined) return;
	if (triedAt.size >= mostRemembered) triedAt.clear();
	underWay.add(id);
	triedAt.set(id, clock.now());
	send(approval, lent)
		.catch((error: Error) => error.message)
		.then(failure => {
			underWay.delete(id);
			metrics.count(failure === undefined ? 'told' : 'not_told');
			if (failure !== undefined) log.warn('an approval that is wanted could not be told', {id, failure});
		});
};
