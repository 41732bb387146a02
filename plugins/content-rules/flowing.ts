import type {Channel, Finding} from '../../plugin-sdk/index.ts';
import type {Settings} from './settings.ts';
import {type Flow, flowStart, passOn} from './stream.ts';
import {wholeTexts} from './whole.ts';

/** What came out, and the most characters that were held back at a time. */
type Out = {text: string; findings: Finding[]; held: number};

/** What comes out when `text` comes in pieces of the lengths that `next` says. */
export const flowing = (settings: Settings, text: string, channel: Channel, next: () => number): Out => {
	let flow: Flow = flowStart;
	let out = '';
	let held = '';
	let most = 0;
	const findings: Finding[] = [];
	for (let at = 0; at < text.length; ) {
		let end = Math.min(text.length, at + next());
		if (/[\ud800-\udbff]$/.test(text.slice(0, end))) end++;
		held += text.slice(at, end);
		at = end;
		const passed = passOn(held, at === text.length, channel, flow, settings, true);
		out += passed.out;
		findings.push(...passed.findings);
		held = at === text.length ? '' : held.slice(passed.clear);
		most = Math.max(most, held.length);
		flow = JSON.parse(JSON.stringify(passed.flow));
	}
	return {text: out, findings, held: most};
};

/** The same of the whole text at once. */
export const whole = (settings: Settings, text: string, channel: Channel = 'assistant') => {
	const {patch, findings} = wholeTexts([text], [channel], false, settings, [0]);
	return {text: patch[0] ?? text, findings};
};
