import type {Host, Json} from '../../plugin-sdk/index.ts';
import {type Call, digestOf, hashOf, kindOf, sameOf, whoOf} from './call.ts';
import type {Config, Rule} from './rules.ts';

export type Lent = Host<Config>;
type Rows = Record<string, Json>;

/** How a call may go on. `minutes`: any number of times, so long; `anyArguments`: with others too. */
export type Terms = {arguments?: Record<string, Json>; minutes?: number; anyArguments?: true};

/** What was asked for: written once, by the exchange that asks. The needs are those of the rule as it was then. */
export type Approval = {
	id: string;
	hash: string;
	call: Call;
	rule: string;
	reason: string;
	needs: {roles: Rule['who']['roles']; admins?: string[]; votes: 1 | 2};
	askedAt: number;
	expiresAt: number;
};

/** What one admin said: a row of its own, so that two who decide at once on two replicas cannot undo each other. */
export type Vote = {by: string; at: number; terms?: Terms; refused?: string};

export type Standing =
	| {state: 'pending'; votes: readonly Vote[]}
	| {state: 'approved'; terms: Terms; by: string[]; until: number}
	| {state: 'refused'; by: string; reason: string}
	| {state: 'used' | 'expired'};

const minuteMs = 60_000;

/** Rows that are of one approval. `vote` is followed by who. */
export const rows = {
	approval: (hash: string): string => `approval:${hash.slice(0, 24)}`,
	vote: (id: string, by = ''): string => `vote:${id}:${by}`,
	used: (id: string): string => `used:${id}`,
	arguments: (id: string): string => `arguments:${id}`,
	token: (id: string): string => `token:${id}`,
	told: (id: string): string => `told:${id}`,
	/** Those of a key that wait. */
	open: (who: string, id = ''): string => `open:${who}:${id}`,
	/** The approval of any call of a kind. */
	kind: (kind: string): string => `kind:${kind}`,
	/** The approval that was refused of a call. */
	refused: (same: string): string => `refused:${same}`,
};

/**
 * The same on two replicas that ask for one call at once, and never that of an approval before, however soon it comes: votes and claims are
 * of one approval for ever.
 */
export const idOf = (hash: string, former: Approval | undefined, now: number): string => {
	const seed = former?.id ?? String(Math.floor(now / minuteMs));
	return `apr_${hash.slice(0, 24)}-${digestOf(`${hash} ${seed}`).slice(0, 10)}`;
};

/** The SHA-256 of each token that would decide about an approval. */
export const tokensOf = ({kv}: Pick<Lent, 'kv'>, id: string): string[] => (kv.get(rows.token(id)) as string[] | undefined) ?? [];

/** The approval that stands for this very call under this rule, by the hash of both. */
export const ofCall = ({kv}: Pick<Lent, 'kv'>, hash: string): Approval | undefined => {
	const found = kv.get(rows.approval(hash)) as Approval | undefined;
	return found?.hash === hash ? found : undefined;
};

/** The approval of this id, unless another has taken its place. */
export const ofId = ({kv}: Pick<Lent, 'kv'>, id: string): Approval | undefined => {
	const [, hash] = /^apr_([0-9a-f]{24})-[0-9a-f]{10}$/.exec(id) ?? [];
	const found = hash === undefined ? undefined : (kv.get(rows.approval(hash)) as Approval | undefined);
	return found?.id === id && found.hash === hashOf(found.call, found.rule) ? found : undefined;
};

const votesOf = ({kv}: Pick<Lent, 'kv'>, id: string): Vote[] =>
	kv
		.list(rows.vote(id))
		.map(({value}) => value as Vote)
		.sort((a, b) => a.at - b.at);

/** Those who approve, where there are as many as it needs who agree on the terms, with the one who was the last of them. */
export const agreed = ({needs}: Approval, votes: readonly Vote[]): {by: string[]; last: Vote} | undefined => {
	const alike = Map.groupBy(
		votes.filter(({terms}) => terms),
		({terms}) => JSON.stringify(terms),
	);
	const enough = [...alike.values()].find(group => group.length >= needs.votes);
	return enough && {by: enough.map(({by}) => by), last: enough[needs.votes - 1]!};
};

/** On which terms a call was approved that has run, or begun to. */
export const usedOn = (lent: Pick<Lent, 'kv'>, approval: Approval): {terms: Terms; by: string[]} | undefined => {
	if (lent.kv.get(rows.used(approval.id)) === undefined) return undefined;
	const found = agreed(approval, votesOf(lent, approval.id));
	return found && {terms: found.last.terms!, by: found.by};
};

/** What has become of an approval. One who refuses is enough; those who approve have to agree on the terms. */
export const standingOf = (lent: Pick<Lent, 'kv'>, approval: Approval, now: number): Standing => {
	const {id, expiresAt} = approval;
	if (lent.kv.get(rows.used(id)) !== undefined) return {state: 'used'};
	const votes = votesOf(lent, id);
	const against = votes.find(({refused}) => refused !== undefined);
	if (against) return now >= expiresAt ? {state: 'expired'} : {state: 'refused', by: against.by, reason: against.refused!};
	const {by, last} = agreed(approval, votes) ?? {};
	const until = last?.terms?.minutes === undefined ? expiresAt : last.at + last.terms.minutes * minuteMs;
	if (last && by && now < until) return {state: 'approved', terms: last.terms!, by, until};
	return last || now >= expiresAt ? {state: 'expired'} : {state: 'pending', votes};
};

/** Everything of an approval, gone. */
export const gone = ({kv}: Pick<Lent, 'kv'>, {id, call, rule}: Approval): Rows => {
	const votes = kv.list(rows.vote(id)).map(({key}) => key);
	const own = [rows.used(id), rows.arguments(id), rows.token(id), rows.told(id), rows.open(whoOf(call), id)];
	const shared = [rows.kind(kindOf(call, rule)), rows.refused(sameOf(call))].filter(key => kv.get(key) === id);
	return Object.fromEntries([...votes, ...own, ...shared].map(key => [key, null]));
};

const keptMs = 10 * minuteMs;
const sweptAtOnce = 20;

/** A few approvals that are long over, wherever in the book, and the rows that they take with them: so the book does not grow. */
export const swept = (lent: Pick<Lent, 'kv' | 'random'>, now: number): Rows => {
	const {kv, random} = lent;
	const from = Math.floor(random.number() * 0xffff_ffff)
		.toString(16)
		.padStart(8, '0');
	const page = [...kv.list('approval:', {after: `approval:${from}`, limit: sweptAtOnce}), ...kv.list('approval:', {limit: 2})];
	const over = page.filter(({value}) => {
		const approval = value as Approval;
		const {state} = standingOf(lent, approval, now - keptMs);
		return now > approval.expiresAt + keptMs && state !== 'approved';
	});
	return Object.assign({}, ...over.map(({key, value}) => ({...gone(lent, value as Approval), [key]: null})));
};
