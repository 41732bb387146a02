import * as z from 'zod';
import {type Caller, type Json, mayReach, refuse} from '../../plugin-sdk/index.ts';
import {type Approval, agreed, type Lent, ofId, rows, standingOf, type Terms, tokensOf, type Vote} from './book.ts';
import {digestOf, kindOf, namesOf, sameOf, whoOf} from './call.ts';

const id = z.string().max(100);
const said = {
	decision: z.enum(['approve', 'edit', 'refuse']),
	/** `edit`: what the tool is called with instead. */
	arguments: z.record(z.string().max(300), z.json()).optional(),
	/** `approve`: any number of times, so long. */
	minutes: z.int().min(1).max(1_440).optional(),
	/** With `minutes`: also with other arguments. */
	anyArguments: z.literal(true).optional(),
	/** `refuse`: told to the client. */
	reason: z.string().min(1).max(500).optional(),
};

const words = <Shape extends z.ZodRawShape>(shape: Shape) => z.strictObject({...shape, ...said});
export const deciding = words({id});
export const answering = words({token: z.string().max(200)});
export type Said = z.output<z.ZodObject<typeof said>>;

const termsOf = ({decision, minutes, anyArguments, arguments: args, reason}: Said, {call}: Approval): Terms => {
	if (reason !== undefined) throw refuse('invalid_request', 'A reason is for refuse.');
	if (decision === 'edit') {
		if (call.source === 'request') throw refuse('invalid_request', 'A model call has no arguments to edit: approve or refuse it.');
		if (!args || minutes !== undefined || anyArguments) throw refuse('invalid_request', 'edit takes the new arguments, and runs once.');
		return {arguments: args};
	}
	if (args) throw refuse('invalid_request', 'New arguments are for edit.');
	if (anyArguments && minutes === undefined) throw refuse('invalid_request', 'anyArguments goes with minutes.');
	return {...(minutes !== undefined && {minutes}), ...(anyArguments && {anyArguments})};
};

const voteOf = (input: Said, approval: Approval, by: string, at: number): Vote => {
	if (input.decision !== 'refuse') return {by, at, terms: termsOf(input, approval)};
	const {reason, minutes, anyArguments, arguments: args} = input;
	if (reason === undefined) throw refuse('invalid_request', 'Say the reason: the client is told.');
	if (args || minutes !== undefined || anyArguments) throw refuse('invalid_request', 'refuse takes a reason, and nothing else.');
	return {by, at, refused: reason};
};

/** The approval of an id, for a caller who may know of it. Throws `not_found`. */
export const found = (name: string, lent: Lent, caller: Caller): Approval => {
	const approval = ofId(lent, name);
	if (approval && mayReach(caller, approval.call.tenant)) return approval;
	throw refuse('not_found', `There is no approval ${name.slice(0, 100)}; it may be over, or asked for anew under another id.`);
};

const requireVoter = ({needs, call}: Approval, {actor, role}: Caller, {config}: Lent): void => {
	if (needs.admins ? !needs.admins.includes(actor) : !(needs.roles as string[]).includes(role))
		throw refuse('denied', 'The rule leaves this to others.');
	const own = [actor, ...(config.people[actor] ?? [])];
	if (namesOf(call).some(name => own.includes(name))) throw refuse('denied', 'Nobody decides about what they asked for themselves.');
};

/** Writes down what an admin says of an approval. Throws `denied` for whoever may not, `conflict` where it is over or decided. */
export const decide = async (approval: Approval, input: Said, lent: Lent, caller: Caller): Promise<Json> => {
	const {kv, clock, metrics} = lent;
	const {id: name, call, rule} = approval;
	requireVoter(approval, caller, lent);
	const now = clock.now();
	const before = standingOf(lent, approval, now);
	if (before.state !== 'pending') throw refuse('conflict', `It is ${before.state} already.`);
	const vote = voteOf(input, approval, caller.actor, now);
	const votes = [...before.votes.filter(({by}) => by !== caller.actor), vote];
	const isDecided = vote.refused !== undefined || agreed(approval, votes) !== undefined;
	const {error} = await kv.put({
		[rows.vote(name, caller.actor)]: vote as Json,
		...(vote.terms?.anyArguments && {[rows.kind(kindOf(call, rule))]: name}),
		...(vote.refused !== undefined && {[rows.refused(sameOf(call))]: name}),
		...(isDecided && {[rows.open(whoOf(call), name)]: null}),
	});
	if (error) throw refuse('store_unavailable', 'It could not be written down; nothing is decided.');
	metrics.count(input.decision === 'refuse' ? 'refused' : 'approved');
	return {id: name, ...standing(approval, lent)};
};

/** Decides by the token that a webhook brought, once. Throws `not_found` for any that is not, or was used. */
export const answer = async (token: string, input: Said, lent: Lent, caller: Caller): Promise<Json> => {
	const dot = token.indexOf('.');
	const approval = found(token.slice(0, Math.max(dot, 0)), lent, caller);
	if (!tokensOf(lent, approval.id).includes(digestOf(token.slice(dot + 1))))
		throw refuse('not_found', 'This token is for nothing, or was used already.');
	const decided = await decide(approval, input, lent, caller);
	await lent.kv.put({[rows.token(approval.id)]: null});
	return decided;
};

const iso = (at: number): string => new Date(at).toISOString();

const standing = (approval: Approval, lent: Lent): Record<string, Json> => {
	const now = standingOf(lent, approval, lent.clock.now());
	if (now.state === 'pending') return {state: 'pending', votes: now.votes.map(({by}) => by), needed: approval.needs.votes};
	if (now.state === 'approved') {
		const {arguments: args, ...terms} = now.terms;
		return {state: 'approved', by: now.by, until: iso(now.until), ...(terms as Record<string, Json>), ...(args && {edited: true})};
	}
	return now.state === 'refused' ? {state: 'refused', by: now.by, reason: now.reason} : {state: now.state};
};

/** What an operator may see of an approval, without what the tool is called with. */
export const shown = (approval: Approval, lent: Lent): Record<string, Json> => {
	const {id: name, call, rule, reason, needs, askedAt, expiresAt} = approval;
	const facts = JSON.parse(JSON.stringify({id: name, rule, reason, call, needs})) as Record<string, Json>;
	return {...facts, ...standing(approval, lent), askedAt: iso(askedAt), expiresAt: iso(expiresAt)};
};
