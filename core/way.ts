import type {HookName} from '../schemas/hooks.ts';
import type {Exchange} from './exchange.ts';
import type {Member} from './hooks.ts';
import type {Value} from './sandbox/isolate.ts';
import type {Step} from './steps.ts';
import type {Verdict} from './verdicts.ts';

/** What the members of a step were asked in one go. */
export type Asking = {
	readonly step: Step;
	readonly from: number;
	readonly values: readonly Value[];
	/** The last place that was asked. */
	reached: number;
	/** What became of those who did not just let it pass. */
	said?: Map<Member, Verdict>;
};

/** What was asked about an exchange before it is sent, in order: kept as long as somebody may have it wait. */
export type Way = Asking[];

/** Where the way of this pass begins; undefined at a hook where nobody may have it wait. A tool call over MCP has come through `pre-request` before. */
export const wayAt = (hook: HookName, exchange: Exchange): Way | undefined => {
	if (hook === 'on-tool-call') return exchange.way ?? [];
	if (hook !== 'pre-request') return undefined;
	const way: Way = [];
	if (exchange.operation === 'tools/call') exchange.way = way;
	return way;
};

/** What a member was asked last on the way. */
export const askedLast = (way: Way, hook: HookName, member: Member): Asking | undefined =>
	way.findLast(({step: {run, members}, from, reached}) => {
		const place = run.hook === hook ? members.indexOf(member) : -1;
		return place >= from && place <= reached;
	});
