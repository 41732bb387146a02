import type {HookName} from '../schemas/hooks.ts';
import {GatewayError} from './errors.ts';
import type {Exchange} from './exchange.ts';
import type {Hold, Holds} from './holds.ts';
import type {Member} from './hooks.ts';
import type {Question, SecondAnswer} from './questions.ts';
import {refusalOf} from './recheck.ts';
import type {Verdict} from './verdicts.ts';

/** A verdict that nothing was done about, since another exchange has had what it claims. */
export const lost = 'lost';

/** Whose answer is waited for: `ask` asks that member again, now, and carries out what it says. */
export type Held = {
	exchange: Exchange;
	hook: HookName;
	member: Member;
	ask: (lostClaim: string | undefined) => Promise<Verdict | undefined>;
	/** Asks those who let it pass before this member did. Rejects where one of them would not any more. */
	askOthers: () => Promise<void>;
};

type Options = {holds: Holds | undefined; askAgain: (question: Question) => Promise<SecondAnswer>};

/** Without a wait between them. Whoever needs more is going in circles. */
const mostAsks = 100;
/** Whoever comes again waits as long as before; nobody knows when the approval will be there. */
const retryAfterMs = 1_000;

const pending = ({exchange, member}: Held, {approval, rule}: Verdict): GatewayError => {
	const {id, reason} = approval!;
	if (id !== undefined) exchange.approval = {id, isPending: true};
	const words = `${reason.replace(/\.$/, '')}${id === undefined ? '' : ` (${id})`}`;
	return new GatewayError('approval_required', `This waits for an approval: ${words}. Ask again for exactly the same.`, {
		plugin: member.plugin.name,
		rule,
		retryAfterMs,
	});
};

/** Whether an approver has changed something. */
export const isEdit = (verdict: Verdict | undefined): boolean => verdict?.verdict === 'rewrite' && verdict.claim !== undefined;

/** Waits while a member says `hold`. */
export const openHeld = ({holds, askAgain}: Options) => {
	/** Of which something has waited in vain: nothing else of theirs waits, since nobody takes an answer that is silent for so long over and over. */
	const late = new WeakSet<Exchange>();

	/** A key that ended while its exchange waited must not be what it goes on with, whatever becomes of those that run. */
	const stillMay = async (exchange: Exchange): Promise<void> => {
		if (exchange.revoked) throw exchange.revoked;
		for (const question of exchange.questions ?? []) {
			const {turn, place, member} = question;
			if (turn.reached === undefined || place > turn.reached) continue;
			const refused = refusalOf(exchange, question, await askAgain(question));
			if (!refused) continue;
			exchange.revoked = new GatewayError(refused.code, refused.message, {plugin: member.plugin.name, rule: refused.rule});
			throw exchange.revoked;
		}
	};

	/**
	 * What a member says in the end that first said `hold`, or claimed what somebody else has had. Throws GatewayError: what it refuses
	 * with, `approval_required` when nobody has decided in time, what stands against the exchange by now, or why it was ended.
	 */
	return async (held: Held, first: Verdict): Promise<Verdict | undefined> => {
		const {exchange, member, ask, askOthers} = held;
		let verdict: Verdict | undefined = first;
		let hold: Hold | undefined;
		let lostClaim: string | undefined;
		let id: string | undefined;
		let isOver = false;
		try {
			for (let asks = 0; asks < mostAsks; asks++) {
				if (verdict?.verdict === 'hold') {
					const {waitsFor = '', holdMs} = verdict.approval!;
					id = verdict.approval!.id;
					hold ??= holds?.open(exchange, member.plugin.name, late.has(exchange) ? 0 : holdMs);
					if (isOver) late.add(exchange);
					if (!hold || isOver) throw pending(held, verdict);
					// What was decided before it was watched is looked for once, at the beginning.
					if (!hold.watch(waitsFor)) {
						isOver = (await hold.next()) === 'over';
						asks = 0;
					}
				} else if (verdict?.verdict === lost) lostClaim = verdict.claim!.name;
				else {
					if (!hold) return verdict;
					await stillMay(exchange);
					// What an approver wrote is asked about as it is now.
					if (!isEdit(verdict)) await askOthers();
					exchange.waited = true;
					// What let it pass when its time was over, nobody has said.
					if (id !== undefined && !isOver) exchange.approval ??= {id};
					return verdict;
				}
				verdict = await ask(lostClaim);
			}
		} finally {
			hold?.end();
		}
		throw new GatewayError('plugin_failed', `The plugin ${member.plugin.name} did not come to an end, so this was refused.`, {
			plugin: member.plugin.name,
		});
	};
};
