import {createHmac, hash, randomBytes, timingSafeEqual} from 'node:crypto';
import type {Principal} from '../../schemas/principal.ts';
import type {Offer} from './offer.ts';
import type {Shared} from './shared.ts';
import {type LegacyVersion, legacyVersions} from './versions.ts';

/** A legacy client's session, all of which its id says: nothing is kept of one that is idle, and every process on this store knows it. */
export type Session = {id: string; version: LegacyVersion; owner: string; offer: Offer};

export type Sessions = {
	begin(principal: Principal, door: string, version: LegacyVersion, offer: Offer): Session;
	/** The session of this principal at this door; undefined where it is not one, is somebody else's, or has ended. */
	of(id: string, principal: Principal, door: string): Session | undefined;
	end(session: Session): void;
};

const headBytes = 2;
const nonceBytes = 16;
const tagBytes = 16;
const atTime = 6;
const longestMs = 7 * 86_400_000;
const mostFound = 1_000;
const believedMs = 60_000;

/**
 * Sessions whose ids are sealed with `key`: an id holds its version, what its client offers, its age and its nonce, and is bound to a principal
 * and a door. An end is told to every process on the store, and remembered for as long as the id would do.
 */
export const openSessions = (key: Buffer, shared: Pick<Shared, 'get' | 'put' | 'onChange'>, now = Date.now): Sessions => {
	/** Seals that were found good, a moment ago and for whom: sealing costs more than all else that is done with an id. */
	const found = new Map<string, {bound: string; at: number; session: Session}>();

	const boundTo = ({tenant, id, key: name}: Principal, door: string): string => JSON.stringify([tenant, id, name ?? null, door]);

	const seal = (head: Buffer, bound: string): Buffer => createHmac('sha256', key).update(head).update(bound).digest().subarray(0, tagBytes);

	const nameOf = (id: string): string => hash('sha256', id, 'base64url');
	const sessionOf = (id: string, version: LegacyVersion, offer: Offer): Session => ({id, version, owner: `session:${nameOf(id)}`, offer});
	shared.onChange('ended', () => found.clear());

	return {
		begin(principal, door, version, offer) {
			const head = Buffer.alloc(headBytes + atTime + nonceBytes);
			head.writeUInt8(legacyVersions.indexOf(version));
			head.writeUInt8(offer, 1);
			head.writeUIntBE(now(), headBytes, atTime);
			randomBytes(nonceBytes).copy(head, headBytes + atTime);
			return sessionOf(Buffer.concat([head, seal(head, boundTo(principal, door))]).toString('base64url'), version, offer);
		},

		of(id, principal, door) {
			const bound = boundTo(principal, door);
			const known = found.get(id);
			if (known && known.bound === bound && now() - known.at <= believedMs) return known.session;
			const bytes = Buffer.from(id.slice(0, 200), 'base64url');
			const head = bytes.subarray(0, headBytes + atTime + nonceBytes);
			// Another spelling of the same bytes would be another id to everything that counts them.
			if (bytes.length !== head.length + tagBytes || bytes.toString('base64url') !== id) return undefined;
			if (shared.get('ended', nameOf(id)) !== undefined) return undefined;
			if (!timingSafeEqual(bytes.subarray(head.length), seal(head, bound))) return undefined;
			const version = legacyVersions[head.readUInt8()];
			const age = now() - head.readUIntBE(headBytes, atTime);
			if (version === undefined || age > longestMs) return undefined;
			const session = sessionOf(id, version, head.readUInt8(1));
			if (found.size >= mostFound) found.clear();
			found.set(id, {bound, at: now(), session});
			return session;
		},

		end({id}) {
			found.delete(id);
			shared.put('ended', nameOf(id), '', longestMs);
		},
	};
};
