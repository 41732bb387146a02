import {allow, type Channel, definePlugin, deny, type Finding, type Host, rewrite} from '../../plugin-sdk/index.ts';
import {told} from './changes.ts';
import {config, type Settings} from './settings.ts';
import {type Flow, flowStart, passOn} from './stream.ts';
import {type Changed, topicsOf, wholeTexts} from './whole.ts';

/** What a stream has got to, by its channels. */
type Memory = Record<number, Flow>;

const refusal = (what: string, findings: readonly Finding[]) => {
	const rule = findings.find(({action}) => action === 'deny')?.detector;
	return deny({code: 'content_blocked', message: `The ${what} is not as the rules for it want it.`, rule, ...told(findings)});
};

const isDenied = (findings: readonly Finding[]): boolean => findings.some(({action}) => action === 'deny');

const answer = (what: string, {patch, findings}: Changed) => {
	if (isDenied(findings)) return refusal(what, findings);
	if (Object.keys(patch).length > 0) return rewrite({text: patch}, told(findings));
	return findings.length > 0 ? allow(told(findings)) : undefined;
};

const models = ['chat', 'messages'];

type Asked = {text: readonly string[]; channels: readonly Channel[]; asks: boolean; found: Changed};

/** The same after a model has been asked what the texts are about. */
const withTopics = async (what: string, {text, channels, asks, found}: Asked, {config: settings, models: lent}: Host<Settings>) => {
	const topics = await topicsOf(text, channels, asks, settings, lent);
	if (topics !== 'unasked') return answer(what, {...found, findings: [...found.findings, ...topics]});
	const unasked: Finding = {
		detector: 'meaning',
		category: 'unasked',
		severity: 'medium',
		score: 1,
		channel: channels[0] ?? 'user',
		action: 'flag',
	};
	if (settings.meaning?.unasked === 'allow') return answer(what, {...found, findings: [...found.findings, unasked]});
	return deny({code: 'content_blocked', message: `Nobody could say what the ${what} is about.`, rule: 'meaning', ...told(found.findings)});
};

export default definePlugin({
	config,

	hooks: {
		/** Holds what goes to a model, or to a tool, against the rules. */
		'pre-request'({text, channels}, host) {
			const found = wholeTexts(text, channels, true, host.config, []);
			if (!host.config.meaning || isDenied(found.findings)) return answer('request', found);
			return withTopics('request', {text, channels, asks: true, found}, host);
		},

		/** And what comes back, piece by piece where it streams. */
		'post-response'({text, channels, answers, window, operation, outcome, carried}, host) {
			const {config: settings} = host;
			if (!window) {
				const ofModel = models.includes(operation);
				const found = wholeTexts(text, channels, false, settings, outcome === 'ok' && ofModel ? answers : []);
				if (!settings.meaning || ofModel || isDenied(found.findings)) return answer('answer', found);
				return withTopics('answer', {text, channels, asks: false, found}, host);
			}
			// Only this plugin's own `carry` comes back here.
			const memory = carried === undefined ? {} : (JSON.parse(carried) as Memory);
			const channel: Channel = channels?.[0] ?? 'assistant';
			const {clear, out, findings, flow} = passOn(
				window.text,
				window.final,
				channel,
				memory[window.channel] ?? flowStart,
				settings,
				answers.length > 0,
			);
			if (isDenied(findings)) return refusal('answer', findings);
			if (window.final) delete memory[window.channel];
			else memory[window.channel] = flow;
			const effects = {clear, carry: JSON.stringify(memory), ...told(findings)};
			return out === window.text.slice(0, clear) ? allow(effects) : rewrite({window: out}, effects);
		},
	},
});
