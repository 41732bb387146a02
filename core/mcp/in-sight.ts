import {requestFields} from './guard.ts';
import {requestLeaves} from './leaves.ts';
import type {Turn} from './turn.ts';

type Place = Pick<Turn, 'gateway' | 'exchange' | 'headers' | 'door'> & {params?: Turn['params']};

/** Whether pre-request, asked now, would let this exchange reach a server; nothing that it asks for is carried out. */
export const isInSight = async ({gateway, exchange, headers, params = {}}: Place, server: string): Promise<boolean> => {
	const part = {exchange: {...exchange, server}, headers, params};
	const fields = requestFields(part, () => requestLeaves(params, exchange.operation));
	return !(await gateway.hooks.refusesServer('pre-request', part.exchange, fields));
};

/**
 * The servers that a door asks on behalf of a request that names none: at `/mcp` those that pre-request would let pass by their own door.
 * Nobody else hears of it, its authorization server neither.
 */
export const serversInSight = async (place: Place): Promise<readonly string[]> => {
	const {gateway, door} = place;
	if (door !== undefined) return [door];
	const {names} = gateway.mcp.servers;
	const seen = await Promise.all(names.map(name => isInSight(place, name)));
	return names.filter((_, index) => seen[index]);
};
