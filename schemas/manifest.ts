import * as z from 'zod';
import {crossingOf, type HookName, hooks, operation} from './hooks.ts';
import {channel} from './verdict.ts';

export const capability = z.enum(['kv', 'clock', 'random', 'log', 'metrics', 'secrets', 'http', 'ledger', 'crypto', 'models']);
export type Capability = z.output<typeof capability>;

/** What a running exchange does not keep: it could not be handed over a second time. */
const letGo: readonly string[] = ['text[]', 'messages', 'tools', 'params.*'];
const rechecked: readonly HookName[] = ['pre-auth', 'pre-request'];

const hookEntry = (hook: HookName) =>
	z
		.strictObject({
			/** The fields this hook is handed; nothing else crosses the wall. */
			reads: z.array(z.string()).superRefine((paths, issues) => {
				for (const [index, path] of paths.entries()) {
					if (crossingOf(hook, path)) continue;
					issues.addIssue({
						code: 'custom',
						path: [index],
						message: `"${path}" cannot be read at ${hook}; it may read ${Object.keys(hooks[hook].reads).join(', ')}`,
					});
				}
			}),
			/** Only these operations reach the handler; all of them when left out. */
			operations: z.array(operation).min(1).optional(),
			/** These too, once the exchange or its session is tainted: until then it costs them nothing. */
			operationsWhenTainted: z.array(operation).min(1).optional(),
			/** For `post-response` plugins that read `window`: how much is gathered before a crossing, and how much may be held back. */
			window: z
				.strictObject({
					chars: z.int().min(0).max(16_384).default(1_024),
					overlap: z.int().min(0).max(4_096).default(256),
					/** What has waited so many milliseconds is shown, however few characters have been gathered. */
					flushMs: z.int().min(1).max(10_000).default(50),
					/** Keys of its config, such as `thresholds.assistant`: where none of them is set, the plugin is asked once, at the end. */
					onlyWith: z.array(z.string()).min(1).optional(),
					/** Where none of them is set it is shown these channels all the same, and nothing else, of answers that can have them. */
					always: z.array(channel).min(1).optional(),
				})
				.optional(),
			/** `pre-auth` and `pre-request`: running exchanges are asked about again when the plugin's kv changes, or their credential ends. */
			recheck: z.boolean().optional(),
			/**
			 * `pre-auth`: whom it identifies depends on these fields and the plugin's kv alone, until the principal's `expiresAt`; so the
			 * host need not ask again before one of them changes.
			 */
			steady: z.boolean().optional(),
		})
		.superRefine(({reads, recheck, steady, operations, operationsWhenTainted}, issues) => {
			if (operationsWhenTainted && !operations)
				issues.addIssue({
					code: 'custom',
					path: ['operationsWhenTainted'],
					message: 'without operations it is asked about all of them anyway; leave operationsWhenTainted out',
				});
			if (steady && hook !== 'pre-auth')
				issues.addIssue({code: 'custom', path: ['steady'], message: `every answer of ${hook} is asked for; leave steady out`});
			if (!recheck) return;
			if (!rechecked.includes(hook))
				issues.addIssue({code: 'custom', path: ['recheck'], message: `nothing is asked a second time at ${hook}; leave recheck out`});
			const lost = reads.find(path => letGo.includes(path));
			if (lost !== undefined)
				issues.addIssue({
					code: 'custom',
					path: ['recheck'],
					message: `"${lost}" is not kept while an exchange runs, so it cannot be read again`,
				});
		});

/** `manifest.json`: data only, read before any code of the plugin runs. */
export const manifest = z.strictObject({
	name: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'a plugin name is lower-case letters, digits and dashes'),
	version: z.string().regex(/^\d+\.\d+\.\d+(-[\w.]+)?$/, 'a version is like 1.2.3'),
	description: z.string().max(300).optional(),
	sdk: z.literal(1),
	runtime: z.enum(['isolate', 'wasm']),
	capabilities: z.array(capability).default([]),
	/** It also has these where the config grants them, and does without where it does not. */
	optional: z.array(capability).default([]),
	hooks: z.strictObject({
		'pre-auth': hookEntry('pre-auth').optional(),
		'pre-request': hookEntry('pre-request').optional(),
		'on-tool-call': hookEntry('on-tool-call').optional(),
		'post-response': hookEntry('post-response').optional(),
		'on-audit': hookEntry('on-audit').optional(),
	}),
	limits: z
		.strictObject({
			memoryMb: z.int().min(8).max(512).default(32),
			/** How long one entry may run before it is stopped, in milliseconds. */
			cpuMs: z.int().min(1).max(5_000).default(100),
			/** How long one call of a hook may take in all, awaited host calls included. */
			timeoutMs: z.int().min(5).max(120_000).default(1_000),
			/** The same for an action: nobody's request waits for it, and its writes wait for the store. */
			actionMs: z.int().min(5).max(600_000).default(15_000),
			/** Largest answer, in characters. */
			answerChars: z.int().min(100).max(16_000_000).default(4_000_000),
		})
		.prefault({}),
	/** wasm only: the JSON Schema of its config; an isolate plugin says it in code, with zod. */
	config: z.record(z.string(), z.json()).optional(),
	/** wasm only: its actions, which an isolate plugin describes in code. */
	actions: z
		.record(
			z.string(),
			z.strictObject({
				description: z.string().optional(),
				input: z.record(z.string(), z.json()),
				access: z.enum(['read', 'write', 'approve']).default('write'),
				tenantAdmin: z.boolean().default(false),
			}),
		)
		.optional(),
	/** An action that `start` runs once, on an empty store, and whose answer it prints. */
	firstStart: z.string().optional(),
	/** Actions that the holder of a key may call with it, at `POST /self/<plugin>/<action>`: `caller.key` says which key, and there is nobody else to act for. */
	selfService: z.array(z.string()).optional(),
	/** Actions that answer for `explain`, which has nobody's secret and sends nothing. They read, and change nothing. */
	explains: z
		.strictObject({
			/** Takes {id}, the public id of a key; answers the verdict that pre-auth would give its holder, and `not_found` for no key of this plugin's. */
			key: z.string().optional(),
			/** Takes what pre-request reads of a request (principal, operation, model, deployments, estimate); answers what decides about it, as JSON. */
			request: z.string().optional(),
		})
		.optional(),
});

export type Manifest = z.output<typeof manifest>;
