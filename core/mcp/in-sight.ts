import {requestFields} from './guard.ts';
import {requestLeaves} from './leaves.ts';
import type {Turn} from './turn.ts';

/**
 * The servers that a door asks on behalf of a request that names none: at `/mcp` those that pre-request would let pass by their own door.
 * Nobody else hears of it, its authorization server neither.
 */
export const serversInSight = async (turn: Turn): Promise<readonly string[]> => {
	const {gateway, exchange, door} = turn;
	if (door !== undefined) return [door];
	const {names} = gateway.mcp.servers;
	const words = requestLeaves(turn.params);
	const refused = await Promise.all(
		names.map(server => {
			const part: Turn = {...turn, exchange: {...exchange, server}};
			return gateway.hooks.refusesServer(
				'pre-request',
				part.exchange,
				requestFields(part, () => words),
			);
		}),
	);
	return names.filter((_, index) => !refused[index]);
};
