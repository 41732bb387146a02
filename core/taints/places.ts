import {hash} from 'node:crypto';
import type {Principal} from '../../schemas/principal.ts';
import type {Exchange} from '../exchange.ts';
import {keysOf} from '../scope.ts';

/** What a taint stays on beside the exchange: one session, or all that a key does. `id` says which, and nothing else of it. */
export type Place = {
	readonly id: string;
	readonly tenant: string;
	/** Whose session it is; of a whole key, who brought the taint. */
	readonly principal: string;
	readonly key?: string;
	/** `named:` and what `x-sallyport-session` says; `session:` and the digest of the id of one at an MCP door. Missing: of the whole key. */
	readonly session?: string;
};

export type Places = {
	/** Whose taints hold for the exchange: its sessions', its key's, and those of the keys that this was minted from. */
	readonly heldBy: readonly Place[];
	/** Those that a taint of the exchange stays on; none where its history says it again each time. */
	readonly stays: readonly Place[];
	readonly key: Place;
};

/** The conversations over MCP that have a session: those of a stateless client begin with `principal:`. */
const isSession = (owner: string): boolean => owner.startsWith('session:') || owner.startsWith('stream:');

const idOf = (...parts: (string | null)[]): string => hash('sha256', JSON.stringify(parts), 'base64url').slice(0, 22);

const holderOf = (tenant: string, principal: string, key: string | undefined): string =>
	JSON.stringify(key === undefined ? [tenant, principal] : [tenant, null, key]);

/** Whose taint it is: the key's, or that of a principal without one. */
export const ownerOf = ({tenant, principal, key}: Place): string => holderOf(tenant, principal, key);

/** Whose taints may hold for a principal. */
export const ownersFor = (principal: Principal): readonly string[] =>
	(keysOf(principal) ?? [undefined]).map(key => holderOf(principal.tenant, principal.id, key));

/**
 * Where the taints of an exchange are. With `reach: 'key'` they stay on the first of the keys that its key comes from, and so on all that
 * come from that one: who holds a key holds its children. Undefined before anybody was identified.
 */
export const placesOf = ({principal, session, owner, surface}: Exchange, reach: 'session' | 'key'): Places | undefined => {
	if (!principal) return undefined;
	const {tenant, id: who, key: name} = principal;
	const wholeOf = (key: string | undefined): Place => ({
		id: key === undefined ? idOf(tenant, who, null, null) : idOf(tenant, null, key, null),
		tenant,
		principal: who,
		...(key !== undefined && {key}),
	});
	const key = wholeOf(name);
	const family = [...new Set(keysOf(principal) ?? [])].map(one => (one === name ? key : wholeOf(one)));
	const sessionAt = (at: string): Place => ({...key, id: idOf(tenant, who, name ?? null, at), session: at});
	const sessions: Place[] = [];
	// What a client calls its session cannot be mistaken for one of a door.
	if (session !== undefined) sessions.push(sessionAt(`named:${session}`));
	if (owner !== undefined && isSession(owner)) sessions.push(sessionAt(owner));
	const isAlone = sessions.length === 0 && surface !== 'mcp';
	const stays = reach === 'key' ? [family[0] ?? key] : sessions.length > 0 || isAlone ? sessions : [key];
	return {heldBy: [...sessions, ...(family.length > 0 ? family : [key])], stays, key};
};
