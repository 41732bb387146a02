import {hash} from 'node:crypto';
import type {Exchange} from '../exchange.ts';

/** What a taint stays on beside the exchange: one session of a key, or all that this key does. `id` says which, and nothing else of it. */
export type Place = {
	readonly id: string;
	readonly tenant: string;
	readonly principal: string;
	readonly key?: string;
	/** `named:` and what `x-sallyport-session` says; `session:` and the digest of the id of one at an MCP door. Missing: of the whole key. */
	readonly session?: string;
};

export type Places = {
	/** Whose taints hold for the exchange: its sessions', and its key's. */
	readonly heldBy: readonly Place[];
	/** Those that a taint of the exchange stays on; none where its history says it again each time. */
	readonly stays: readonly Place[];
	readonly key: Place;
};

/** The conversations over MCP that have a session: those of a stateless client begin with `principal:`. */
const isSession = (owner: string): boolean => owner.startsWith('session:') || owner.startsWith('stream:');

/** Where the taints of an exchange are. Undefined before anybody was identified. */
export const placesOf = ({principal, session, owner, surface}: Exchange, reach: 'session' | 'key'): Places | undefined => {
	if (!principal) return undefined;
	const {tenant, id: who, key: name} = principal;
	const placeAt = (at: string | undefined): Place => ({
		id: hash('sha256', JSON.stringify([tenant, who, name ?? null, at ?? null]), 'base64url').slice(0, 22),
		tenant,
		principal: who,
		...(name !== undefined && {key: name}),
		...(at !== undefined && {session: at}),
	});
	const key = placeAt(undefined);
	const sessions: Place[] = [];
	// What a client calls its session cannot be mistaken for one of a door.
	if (session !== undefined) sessions.push(placeAt(`named:${session}`));
	if (owner !== undefined && isSession(owner)) sessions.push(placeAt(owner));
	const isAlone = sessions.length === 0 && surface !== 'mcp';
	const stays = reach === 'key' || (sessions.length === 0 && !isAlone) ? [key] : sessions;
	return {heldBy: [...sessions, key], stays, key};
};
