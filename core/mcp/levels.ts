import type {JsonObject} from '../llm/json.ts';
import {RpcError, rpcCodes} from './rpc.ts';

/** The levels of a server's log (RFC 5424), the least urgent first. */
const levels = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'];

/** The level that a client asks for. Throws RpcError -32602 for what is none. */
export const levelIn = (level: unknown): string => {
	if (typeof level === 'string' && levels.includes(level)) return level;
	throw new RpcError(rpcCodes.invalidParams, `level is none of ${levels.join(', ')}.`);
};

/** Whether a line is urgent enough; where nobody said what is, everything is. */
export const isWanted = ({level}: JsonObject, wanted: string | undefined): boolean =>
	wanted === undefined || levels.indexOf(String(level)) >= levels.indexOf(wanted);
