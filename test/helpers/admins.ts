import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {freshFolder} from './config-file.ts';
import type {TestGateway} from './gateway.ts';

export type Said = {status: number; body: Record<string, unknown> & {id: string; key: string; code?: string}};

/** Calls the admin API with this key, or with that of the first start; `Body` is what else the answer has. */
export const calls =
	({url, adminKey}: TestGateway) =>
	async <Body extends object = object>(
		path: string,
		input?: unknown,
		{key = adminKey, method = 'POST'}: {key?: string; method?: string} = {},
	): Promise<Said & {body: Body}> => {
		const response = await fetch(`${url}${path}`, {
			method,
			headers: {authorization: `Bearer ${key}`, 'content-type': 'application/json'},
			body: input === undefined ? undefined : JSON.stringify(input),
		});
		return {status: response.status, body: (await response.json()) as Said['body'] & Body};
	};

/** A plugin that keeps notes of tenants, and whose actions are of every kind. */
export const notes = async (t: ExecutionContext): Promise<string> => {
	const folder = join(freshFolder(t), 'notes');
	await mkdir(folder);
	const manifest = {
		name: 'notes',
		version: '1.0.0',
		sdk: 1,
		runtime: 'isolate',
		capabilities: ['kv'],
		hooks: {},
		limits: {timeoutMs: 20_000},
	};
	await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
	await writeFile(
		join(folder, 'index.ts'),
		`import * as z from 'zod';
import {definePlugin, mayReach, refuse, tenantOf, within} from 'sallyport/plugin-sdk';

const note = z.strictObject({scope: z.string(), text: z.string(), id: z.string().default('1'), hash: z.string().optional()});

export default definePlugin({
	config: z.strictObject({}),
	hooks: {},
	actions: {
		write: {
			description: 'Writes a note.',
			tenantAdmin: true,
			input: note,
			async run({id, hash, ...entry}, {kv}, caller) {
				within(caller, tenantOf(entry.scope));
				await kv.put({['note:' + id]: entry, ...(hash && {['by:' + hash]: {id, apiKey: 'short', secret: hash}})});
				return {id, by: caller.actor};
			},
		},
		read: {
			description: 'Reads a note.',
			access: 'read',
			tenantAdmin: true,
			input: z.strictObject({id: z.string()}),
			run({id}, {kv}, caller) {
				const found = kv.get('note:' + id);
				if (found === undefined || !mayReach(caller, tenantOf(found.scope))) throw refuse('not_found', 'There is no note ' + id + '.');
				return found;
			},
		},
		decide: {description: 'Decides.', access: 'approve', input: z.strictObject({}), run: () => true},
		many: {
			description: 'Writes many notes.',
			input: z.strictObject({count: z.int(), size: z.int()}),
			async run({count, size}, {kv}) {
				await kv.put(Object.fromEntries(Array.from({length: count}, (_, at) => ['many:' + at, 'x'.repeat(size)])));
				return count;
			},
		},
		forget: {
			description: 'Forgets a note.',
			input: z.strictObject({id: z.string()}),
			async run({id}, {kv}) {
				await kv.put({['note:' + id]: null});
				throw refuse('conflict', 'Forgotten, and sorry.');
			},
		},
	},
});
`,
	);
	return folder;
};

export const notesEntry = (folder: string) => ({use: folder, grants: {kv: true as const}});
