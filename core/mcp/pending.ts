import {createHmac, timingSafeEqual} from 'node:crypto';
import type {Principal} from '../../schemas/principal.ts';
import type {GatewayError} from '../errors.ts';
import {isObject, type JsonObject} from '../llm/json.ts';
import {digestOf} from './catalogue.ts';
import {RpcError, rpcCodes} from './rpc.ts';
import type {Turn} from './turn.ts';
import {metaKeys, ourselves} from './versions.ts';

/** A tool call as its client wrote it, which is what it has to repeat. */
export type Said = {name: string; arguments: JsonObject};

/** The states that stateless clients come back with while their call waits for an approval: they hold nothing but a moment and a seal. */
export type PendingStates = {
	seal(principal: Principal, door: string | undefined, said: Said): string;
	/** Whether a state was sealed here, at all. */
	isOne(state: unknown): state is string;
	/** Whether it is of this call, by this principal, at this door, and not too old. */
	fits(state: string, principal: Principal, door: string | undefined, said: Said): boolean;
};

const prefix = 'held.';
const atBytes = 6;
/** A client comes back at once, or not at all. */
const longestMs = 10 * 60_000;

export const openPendingStates = (key: Buffer, now = Date.now): PendingStates => {
	const own = createHmac('sha256', key).update('calls that wait').digest();

	const sealed = (at: Buffer, {tenant, id, key: name}: Principal, door: string | undefined, said: Said): Buffer => {
		const bound = JSON.stringify([tenant, id, name ?? null, door ?? null, said.name, digestOf(said.arguments)]);
		return Buffer.concat([at, createHmac('sha256', own).update(at).update(bound).digest()]);
	};

	return {
		seal(principal, door, said) {
			const at = Buffer.alloc(atBytes);
			at.writeUIntBE(now(), 0, atBytes);
			return `${prefix}${sealed(at, principal, door, said).toString('base64url')}`;
		},
		isOne: (state): state is string => typeof state === 'string' && state.startsWith(prefix),
		fits(state, principal, door, said) {
			const bytes = Buffer.from(state.slice(prefix.length, 200), 'base64url');
			const at = bytes.subarray(0, atBytes);
			if (at.length < atBytes || now() - at.readUIntBE(0, atBytes) > longestMs) return false;
			const expected = sealed(at, principal, door, said);
			return bytes.length === expected.length && timingSafeEqual(bytes, expected);
		},
	};
};

/** Takes the state of a call that waits out of its params, where it has one. Throws -32602 where that is another call's. */
export const takeState = ({gateway, exchange, door, params}: Turn, said: Said): void => {
	const {requestState} = params;
	if (!gateway.mcp.pending.isOne(requestState)) return;
	if (!gateway.mcp.pending.fits(requestState, exchange.principal!, door, said))
		throw new RpcError(rpcCodes.invalidParams, 'requestState is not that of this call, or too old: call again without it.');
	delete params.requestState;
};

const metaKey = 'sallyport/approval';

/**
 * What a client is told of a tool call that still waits for an approval; undefined for any other error. A stateless one comes back by
 * itself, with the state; the model behind any other is told to.
 */
export const pendingAnswer = (turn: Turn, {code}: GatewayError): JsonObject | undefined => {
	const {gateway, exchange, era, method, door, said} = turn;
	const {approval, principal} = exchange;
	if (method !== 'tools/call' || code !== 'approval_required' || !approval?.isPending) return undefined;
	const told = {[metaKey]: {id: approval.id, state: 'pending'}};
	if (era === 'stateless' && said) {
		const requestState = gateway.mcp.pending.seal(principal!, door, said);
		return {resultType: 'input_required', requestState, _meta: {...told, [metaKeys.serverInfo]: ourselves}};
	}
	const text = `Approval pending ${approval.id}: somebody has to approve this call. Call again with the same arguments.`;
	return {content: [{type: 'text', text}], isError: true, _meta: told};
};

/** Tells the client which approval let its call pass, and what whoever approved it made of its arguments. */
export const withApproval = ({approval}: Turn['exchange'], result: JsonObject): JsonObject => {
	if (!approval || approval.isPending) return result;
	const {id, arguments: args} = approval;
	const meta = isObject(result._meta) ? result._meta : {};
	const words = args && {type: 'text', text: `Whoever approved this call changed its arguments to ${JSON.stringify(args)}`};
	return {
		...result,
		...(words && Array.isArray(result.content) && {content: [...result.content, words]}),
		_meta: {...meta, [metaKey]: {id, state: 'approved', ...(args && {arguments: args})}},
	};
};
