import {crossingOf, type HookName} from '../../schemas/hooks.ts';
import type {Admitted} from './tier.ts';

/** What the guest needs to know of its plugin, as JSON: config, declared fields by hook, and how much it may answer. */
export const setupOf = ({config, manifest}: Admitted): string => {
	const hooks: Record<string, {path: string[]; crossing: string}[]> = {};
	for (const [hook, entry] of Object.entries(manifest.hooks)) {
		hooks[hook] = entry.reads.map(path => ({path: pathOf(path), crossing: crossingOf(hook as HookName, path)!}));
	}
	return JSON.stringify({config, hooks, answerChars: manifest.limits.answerChars});
};

/** `text[]` is handed over as `text`, `channels[]` as `channels`; only the first dot separates, for a header's name may hold more. */
const pathOf = (path: string): string[] => {
	const dot = path.indexOf('.');
	return dot < 0 ? [path.replace('[]', '')] : [path.slice(0, dot), path.slice(dot + 1)];
};
