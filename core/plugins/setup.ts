import {crossingOf, type HookName, hookNames, hooks as known} from '../../schemas/hooks.ts';
import type {Unread} from '../sandbox/unread.ts';
import type {Admitted} from './tier.ts';

/** `text[]` is handed over as `text`, `channels[]` as `channels`; only the first dot separates, for a header's name may hold more. */
const pathOf = (path: string): string[] => {
	const dot = path.indexOf('.');
	return dot < 0 ? [path.replace('[]', '')] : [path.slice(0, dot), path.slice(dot + 1)];
};

const firstOf = (path: string): string => pathOf(path)[0]!;

/** Every field that any hook has. */
const everyField = new Set(hookNames.flatMap(hook => Object.keys(known[hook].reads).map(firstOf)));

const unreadOf = (hook: HookName, reads: readonly string[]): Unread => {
	const declared = new Set(reads.map(firstOf));
	const parts: Unread['parts'] = {};
	for (const path of Object.keys(known[hook].reads)) {
		const [first, second] = pathOf(path);
		if (second === undefined || second === '*' || !declared.has(first!)) continue;
		// Whoever reads all of it has its parts.
		if (reads.includes(`${first}.*`)) continue;
		const others = parts[first!] ?? [];
		if (second === '<name>' || others === true) parts[first!] = true;
		else parts[first!] = reads.includes(path) ? others : [...others, second];
	}
	return {fields: [...everyField].filter(field => !declared.has(field)), parts};
};

/** What the guest needs to know of its plugin, as JSON: config, declared fields by hook and what else there is, and how much it may answer. */
export const setupOf = ({config, manifest}: Pick<Admitted, 'config' | 'manifest'>): string => {
	const hooks: Record<string, {path: string[]; crossing: string}[]> = {};
	const unread: Record<string, Unread> = {};
	for (const [hook, entry] of Object.entries(manifest.hooks)) {
		hooks[hook] = entry.reads.map(path => ({path: pathOf(path), crossing: crossingOf(hook as HookName, path)!}));
		unread[hook] = unreadOf(hook as HookName, entry.reads);
	}
	return JSON.stringify({config, hooks, unread, answerChars: manifest.limits.answerChars});
};
