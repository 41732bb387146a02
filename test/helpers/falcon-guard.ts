import type {ExecutionContext} from 'ava';
import {codeOf} from '../../core/plugins/bundle.ts';
import type {GatewayConfigInput} from '../../schemas/config.ts';
import {freshFolder} from './config-file.ts';
import {writePlugin} from './inline-world.ts';

type Entry = Exclude<NonNullable<GatewayConfigInput['plugins']>[number], string>;

/** What it finds, and what it makes of that. */
export const word = 'falcon-4711';

const before = `
const word = '${word}';
const findingsIn = (text, channels, action) => text.flatMap((part, index) => {
	const start = part.indexOf(word);
	if (start < 0) return [];
	const span = {text: index, start, end: start + word.length};
	return [{detector: 'birds', category: 'code-name', severity: 'high', score: 1, channel: channels[index], span, action}];
});
const hidden = part => part.replaceAll(word, '[BIRD]');
const masked = text => Object.fromEntries(text.flatMap((part, index) => (part.includes(word) ? [[index, hidden(part)]] : [])));
const said = (text, channels) => {
	const acts = text.some(part => part.includes('refuse')) ? 'deny' : text.some(part => part.includes('mask')) ? 'mask' : 'flag';
	const findings = findingsIn(text, channels, acts);
	if (findings.length === 0) return undefined;
	if (acts === 'deny') return deny({code: 'content_blocked', message: 'No birds here.', rule: 'birds', findings});
	return acts === 'mask' ? rewrite({text: masked(text)}, {findings}) : allow({findings});
};
`;

/** A guard that finds one word: it refuses it in a text that says "refuse", masks it in one that says "mask", and flags it elsewhere. */
export const falconGuard = async (t: ExecutionContext, more: Partial<Entry> = {}, name = 'falcons'): Promise<Entry> => {
	const folder = await writePlugin(freshFolder(t), {
		name,
		before,
		reads: {
			'pre-request': ['text[]', 'channels[]'],
			'on-tool-call': ['tool.arguments'],
			'post-response': ['text[]', 'channels[]', 'window'],
		},
		hooks: `hooks: {
			'pre-request': ({text, channels}) => said(text, channels),
			'on-tool-call': ({tool}) => {
				const text = Object.values(tool.arguments).filter(value => typeof value === 'string');
				const findings = findingsIn(text, text.map(() => 'tool-arguments'), 'flag');
				return findings.length > 0 ? allow({findings}) : undefined;
			},
			'post-response': ({text, channels, window}) => {
				if (!window) return said(text, channels);
				if (!window.final && !window.text.includes(word)) return allow({clear: Math.max(0, window.text.length - word.length)});
				const found = findingsIn([window.text], channels, 'mask');
				const clear = window.text.length;
				return found.length > 0 ? rewrite({window: hidden(window.text)}, {clear, findings: found}) : allow({clear});
			},
		}`,
	});
	return {use: folder, tier: 'inline', trust: (await codeOf(folder, 'isolate')).digest, ...more};
};
