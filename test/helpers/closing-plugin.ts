import type {ExecutionContext} from 'ava';
import {codeOf} from '../../core/plugins/bundle.ts';
import type {Entry} from './approvals.ts';
import {freshFolder} from './config-file.ts';
import {type Source, writePlugin} from './inline-world.ts';

/** A plugin of these hooks, `gate` by name, with an action that closes it: `kv.get('closed')`. */
export const closing = async (
	t: ExecutionContext,
	hooks: string,
	reads: Source['reads'],
	more: Partial<Source> = {},
): Promise<Exclude<Entry, string>> => {
	const folder = await writePlugin(freshFolder(t), {
		name: 'gate',
		capabilities: ['kv', 'clock', 'random'],
		reads: reads ?? {},
		before: `const input = {safeParse: data => ({success: true, data})};
			const close = {description: 'Closes it.', input, run: async (_, {kv}) => { await kv.put({closed: true}); return {}; }};`,
		hooks: `hooks: {${hooks}}, actions: {close}`,
		...more,
	});
	const grants = {kv: true, clock: true, random: true} as const;
	return {use: folder, tier: 'inline', grants, trust: (await codeOf(folder, 'isolate')).digest};
};
