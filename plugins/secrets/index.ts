import {allow, definePlugin, deny, type Finding, rewrite} from '../../plugin-sdk/index.ts';
import {findingOf, told} from './findings.ts';
import type {Found} from './found.ts';
import {config, type Settings} from './settings.ts';
import {detectAfter, type StreamState, startAfter, step, written} from './stream.ts';

type Memory = Record<number, StreamState>;

const refusal = (direction: string, findings: readonly Finding[]) =>
	deny({code: 'content_blocked', message: `The ${direction} holds a secret that must not pass.`, ...told(findings)});

type Channels = readonly Finding['channel'][] | undefined;

/** All texts of a request or a reply that came whole. */
const whole = (texts: readonly string[], channels: Channels, usual: Finding['channel'], {actionOf}: Settings) => {
	const patch: Record<string, string> = {};
	const findings: Finding[] = [];
	for (const [index, text] of texts.entries()) {
		const from = channels?.[index] ?? usual;
		const masks = (found: Found) => actionOf(found, from) === 'mask';
		const found = detectAfter(texts[index - 1], text);
		if (found.length === 0) continue;
		for (const each of found) {
			const action = actionOf(each, from);
			if (action !== undefined) findings.push(findingOf(each, action, from, index));
		}
		if (found.some(masks)) patch[index] = written(text, {found, clear: text.length}, masks);
	}
	return {patch, findings};
};

const answer = (direction: string, {patch, findings}: ReturnType<typeof whole>) => {
	if (findings.length === 0) return undefined;
	if (findings.some(({action}) => action === 'deny')) return refusal(direction, findings);
	return Object.keys(patch).length > 0 ? rewrite({text: patch}, told(findings)) : allow(told(findings));
};

const readMemory = (carried: string | undefined): Memory =>
	// Only this plugin's own `carry` comes back here.
	carried === undefined ? {} : (JSON.parse(carried) as Memory);

/** `name`: of the field of a tool's arguments that the text is the value of. */
type Window = {channel: number; text: string; final: boolean; name?: string};

/** A piece of a stream: what is cleared of it, what of that goes out, and what was found. */
const piece = ({channel, text, final, name}: Window, from: Finding['channel'], {actionOf}: Settings, memory: Memory) => {
	const seen = step(memory[channel] ?? startAfter(name), text, final);
	const out = written(text, seen, found => actionOf(found, from) === 'mask');
	const findings = seen.found.flatMap(each => {
		const action = each.begun ? undefined : actionOf(each, from);
		return action === undefined ? [] : [findingOf(each, action, from)];
	});
	if (final) delete memory[channel];
	else memory[channel] = seen.state;
	return {clear: seen.clear, out, findings};
};

export default definePlugin({
	config,

	hooks: {
		/** Masks or refuses secrets before a provider or a tool sees them. */
		'pre-request'({text, channels}, {config: settings}) {
			return settings.request ? answer('request', whole(text, channels, 'user', settings)) : undefined;
		},

		/** Does the same for what a model or a tool answers, piece by piece where it streams. */
		'post-response'({text, channels, window, carried}, {config: settings}) {
			if (!settings.response) return window && allow({clear: window.text.length});
			if (!window) return answer('reply', whole(text, channels, 'assistant', settings));
			const memory = readMemory(carried);
			const {clear, out, findings} = piece(window, channels?.[0] ?? 'assistant', settings, memory);
			if (findings.some(({action}) => action === 'deny')) return refusal('reply', findings);
			const effects = {clear, carry: JSON.stringify(memory), ...told(findings)};
			return out === window.text.slice(0, clear) ? allow(effects) : rewrite({window: out}, effects);
		},
	},
});
