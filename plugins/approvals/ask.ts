import {allow, deny, hold, type Json, rewrite} from '../../plugin-sdk/index.ts';
import {type Approval, gone, idOf, type Lent, ofCall, ofId, rows, type Standing, standingOf, swept, usedOn} from './book.ts';
import {type Asked, hashOf, kindOf, sameOf, whoOf} from './call.ts';
import {concerns} from './match.ts';
import type {Rule} from './rules.ts';
import {tell} from './tell.ts';

/** What an approver can be asked to read. */
const mostArgumentChars = 100_000;
/** A claim outlives its approval by far: no clock is so wrong. */
const claimedMs = 86_400_000;

/** Waits for an approval that is asked for already. */
const waiting = ({id, reason, rule}: Approval, {holdMs}: Rule, put?: Record<string, Json>) =>
	hold({reason, id, waitsFor: rows.vote(id), holdMs}, {rule, annotate: {id}, ...(put && {put})});

const asArguments = (args: Asked['arguments']): string => JSON.stringify(args ?? {});

/** Asks for a new approval, in the place of `former`, whose time is over. */
const asked = (one: Asked, rule: Rule, former: Approval | undefined, lent: Lent) => {
	const {kv, clock, config, metrics} = lent;
	const {call} = one;
	// Nobody is asked to approve a mere name: the call would be refused behind this plugin.
	if (call.source === 'mcp' && call.definitionDigest === undefined)
		return deny({code: 'invalid_request', message: 'There is no such tool.', rule: rule.name});
	if (asArguments(one.arguments).length > mostArgumentChars)
		return deny({message: 'Somebody has to approve this, and it is too long to be read.', rule: rule.name});
	const now = clock.now();
	const who = whoOf(call);
	const open = kv.list(rows.open(who), {limit: config.mostPending + 100});
	const over = open.filter(({value}) => (value as number) <= now).map(({key}) => [key, null] as const);
	if (open.length - over.length >= config.mostPending) {
		const message = `${config.mostPending} calls of this key wait for an approval already.`;
		return deny({code: 'rate_limited', message, rule: rule.name, retryAfterMs: 60_000});
	}
	const hash = hashOf(call, rule.name);
	const approval: Approval = {
		id: idOf(hash, former, now),
		hash,
		call,
		rule: rule.name,
		reason: rule.reason,
		needs: {...rule.who, votes: rule.fourEyes ? 2 : 1},
		askedAt: now,
		expiresAt: now + rule.expiresSeconds * 1_000,
	};
	metrics.count('asked');
	return waiting(approval, rule, {
		...swept(lent, now),
		...Object.fromEntries(over),
		...(former && gone(lent, former)),
		[rows.approval(hash)]: JSON.parse(JSON.stringify(approval)) as Json,
		[rows.open(who, approval.id)]: approval.expiresAt,
		...(one.arguments && {[rows.arguments(approval.id)]: {...one.arguments}}),
	});
};

/** Lets a call pass that was approved: once, or as long as was said. */
const passed = (
	{id, call, expiresAt}: Approval,
	{terms, by}: Pick<Extract<Standing, {state: 'approved'}>, 'terms' | 'by'>,
	lent: Lent,
	claim = id,
) => {
	const annotate = {id, by: by.join(', ')};
	if (terms.minutes !== undefined) return allow({annotate});
	const at = lent.clock.now();
	const once = {
		annotate,
		claim: {name: claim, until: expiresAt + claimedMs},
		put: {[rows.used(id)]: at, [rows.arguments(id)]: null, [rows.open(whoOf(call), id)]: null},
	};
	return terms.arguments ? rewrite({arguments: terms.arguments}, {...once, annotate: {...annotate, edited: true}}) : allow(once);
};

/** What has become of the approval whose id is in a row. */
const behind = (row: string, lent: Lent, now: number) => {
	const id = lent.kv.get(row);
	const approval = typeof id === 'string' ? ofId(lent, id) : undefined;
	return approval && {approval, standing: standingOf(lent, approval, now)};
};

/** The approval of any call of this kind that this rule is about, while it lasts. */
const ofKind = ({call}: Asked, rule: Rule, lent: Lent, now: number) => {
	const {approval, standing} = behind(rows.kind(kindOf(call, rule.name)), lent, now) ?? {};
	return standing?.state === 'approved' && standing.terms.anyArguments ? passed(approval!, standing, lent) : undefined;
};

/** Somebody’s no to this very call, whichever rule had asked, while it lasts. */
const refusalOf = ({call}: Asked, lent: Lent, now: number) => {
	const {approval, standing} = behind(rows.refused(sameOf(call)), lent, now) ?? {};
	return standing?.state === 'refused' ? {id: approval!.id, ...standing} : undefined;
};

/** What the host says of a call that it asks about again. */
type Again = {lostClaim?: string | undefined; continues?: string | undefined};

/** What becomes of a call now. Nothing, where no rule is about it. */
export const judge = (one: Asked, {lostClaim, continues}: Again, lent: Lent) => {
	const rule = lent.config.rules.find(candidate => concerns(candidate, one));
	if (!rule) return undefined;
	const now = lent.clock.now();
	const known = ofCall(lent, hashOf(one.call, rule.name));
	// The same call, gone on with: each round once.
	const isNext = known && continues?.startsWith(`${known.id}/`) && continues !== lostClaim;
	const before = isNext ? usedOn(lent, known) : undefined;
	if (before) return passed(known!, before, lent, continues);
	// Somebody was faster, perhaps one who fell before it was written down.
	const standing = known && known.id !== lostClaim ? standingOf(lent, known, now) : undefined;
	if (standing?.state === 'approved') return passed(known!, standing, lent);
	const ofAny = ofKind(one, rule, lent, now);
	if (ofAny) return ofAny;
	const refusal = standing?.state === 'refused' ? {id: known!.id, ...standing} : refusalOf(one, lent, now);
	if (refusal) {
		const {id, by, reason} = refusal;
		return deny({message: `Whoever had to approve this has refused it: ${reason}`, rule: rule.name, annotate: {id, by}});
	}
	if (standing?.state !== 'pending') return asked(one, rule, known, lent);
	tell(known!, lent);
	return waiting(known!, rule);
};
