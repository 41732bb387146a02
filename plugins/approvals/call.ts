import type {Json} from '../../plugin-sdk/index.ts';
import {sha256} from '../webhooks/sha256.ts';
import {utf8} from '../webhooks/text.ts';

/** What an approval is of: who asks for what, by digests. Two calls are the same when all of this is. */
export type Call = {
	source: 'mcp' | 'model' | 'request';
	principal: string;
	tenant: string;
	team?: string | undefined;
	user?: string | undefined;
	key?: string | undefined;
	/** The keys that this one was minted from, the first of them first. */
	parents?: string[] | undefined;
	server?: string | undefined;
	tool?: string | undefined;
	model?: string | undefined;
	operation?: string | undefined;
	/** Of the arguments, or of a model call's body. */
	digest: string;
	definitionDigest?: string | undefined;
};

/** A call with what rules look at, which is not kept. */
export type Asked = {
	call: Call;
	tags: readonly string[];
	/** What the session is tainted with. */
	taints: readonly string[];
	arguments?: Readonly<Record<string, Json>> | undefined;
};

type Asker = Pick<Call, 'principal' | 'tenant' | 'team' | 'user' | 'key' | 'parents'>;
type Principal = Omit<Asker, 'principal' | 'parents'> & {id: string; accounts: readonly string[]};

/** Who asks. Among the accounts that pay are the keys that this one was minted from. */
export const askerOf = ({id, tenant, team, user, key, accounts}: Principal): Asker => {
	const parents = accounts.filter(name => name.startsWith('key:') && name !== `key:${key}`).map(name => name.slice('key:'.length));
	return {principal: id, tenant, team, user, key, ...(parents.length > 0 && {parents})};
};

/** The key of a call, behind those that it was minted from: what is said of a key is said of its children too. */
export const keysOf = ({key, parents = []}: Pick<Call, 'key' | 'parents'>): string[] => [...parents, ...(key === undefined ? [] : [key])];

const hex = (bytes: Uint8Array): string => [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join('');

/** SHA-256 of a text, in hexadecimal. */
export const digestOf = (text: string): string => hex(sha256(utf8(text)));

const nameOf = ({source, principal, tenant, team, user, key, server, tool, model, operation, definitionDigest}: Call): unknown[] =>
	[source, principal, tenant, team, user, key, server, tool, model, operation, definitionDigest].map(part => part ?? null);

/** The same for the same call alone. */
export const sameOf = (call: Call): string => digestOf(JSON.stringify([...nameOf(call), call.digest]));

/** The same for the same call alone, as far as the same rule is about it: another may ask for more. */
export const hashOf = (call: Call, rule: string): string => digestOf(JSON.stringify([...nameOf(call), call.digest, rule]));

/** The same for all calls that differ in their arguments alone, and that the same rule is about. */
export const kindOf = (call: Call, rule: string): string => digestOf(JSON.stringify([...nameOf(call), rule]));

/** The same for all calls of one key, and of those that were minted from it. */
export const whoOf = (call: Call): string => {
	const [first] = keysOf(call);
	return digestOf(JSON.stringify([call.tenant, first ?? call.principal, first ?? null])).slice(0, 24);
};

/** The names by which a principal may be said to be somebody. */
export const namesOf = ({principal, tenant, team, user, ...keys}: Call): string[] => [
	principal,
	`tenant:${tenant}`,
	...(team === undefined ? [] : [`team:${tenant}/${team}`]),
	...(user === undefined ? [] : [user, `user:${tenant}/${user}`]),
	...keysOf(keys).flatMap(key => [key, `key:${key}`]),
];
