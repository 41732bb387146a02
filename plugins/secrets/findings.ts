import type {Finding} from '../../plugin-sdk/index.ts';
import type {Category, Found} from './found.ts';
import type {Action} from './settings.ts';

const severityOf: Readonly<Record<Category, Finding['severity']>> = {
	'private-key': 'critical',
	'connection-string': 'critical',
	'provider-key': 'high',
	jwt: 'high',
	webhook: 'medium',
	assignment: 'medium',
};

const scoreOf = ({category, sure}: Found): number => {
	if (sure === true || category === 'private-key') return 1;
	return category === 'assignment' ? 0.7 : 0.9;
};

/** As many as a verdict may tell of. */
const most = 64;

/** What was found and what is done about it. `text` is its index among the texts, and missing for a piece of a stream. */
export const findingOf = (found: Found, action: Action, channel: Finding['channel'], text?: number): Finding => ({
	detector: found.kind,
	category: 'secret',
	severity: severityOf[found.category],
	score: scoreOf(found),
	channel,
	span: {...(text === undefined ? {} : {text}), start: found.start, end: found.end},
	action,
});

/** The findings of a verdict: what was done first, and no more than it may hold. */
export const told = (findings: readonly Finding[]): {findings?: Finding[]} => {
	if (findings.length === 0) return {};
	const weightOf = ({action}: Finding): number => (action === 'flag' ? 2 : action === 'taint' ? 1 : 0);
	return {findings: findings.toSorted((one, other) => weightOf(one) - weightOf(other)).slice(0, most)};
};
