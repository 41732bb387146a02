import {allow, type Channel, definePlugin, deny, type Finding, rewrite} from '../../plugin-sdk/index.ts';
import {told} from './changes.ts';
import {config} from './settings.ts';
import {type Flow, flowStart, passOn} from './stream.ts';
import {type Changed, wholeTexts} from './whole.ts';

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

export default definePlugin({
	config,

	hooks: {
		/** Holds what goes to a model, or to a tool, against the rules. */
		'pre-request': ({text, channels}, {config: settings}) => answer('request', wholeTexts(text, channels, true, settings, [])),

		/** And what comes back, piece by piece where it streams. */
		'post-response'({text, channels, answers, window, operation, outcome, carried}, {config: settings}) {
			if (!window) {
				const said = outcome === 'ok' && models.includes(operation) ? answers : [];
				return answer('answer', wholeTexts(text, channels, false, settings, said));
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
