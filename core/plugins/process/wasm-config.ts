import * as z from 'zod';
import {issueWords} from '../../config/kinds.ts';
import {GatewayError} from '../../errors.ts';
import type {Loaded} from '../../sandbox/isolate.ts';
import type {Admitted} from '../tier.ts';

/** What the gateway checks for a module, which says in its manifest, and not in code, what its config and its actions take. */
export type Checked = {
	loaded(said: Loaded | {failure: string}): Loaded | {failure: string};
	/** Throws GatewayError when there is no such action or it does not take this input. */
	action(name: string, input: string): void;
};

const schemaOf = (json: Record<string, unknown>): z.ZodType => z.fromJSONSchema(json as Parameters<typeof z.fromJSONSchema>[0]);
const issuesOf = (error: z.ZodError): Loaded['issues'] =>
	error.issues.map(issue => ({path: issue.path.map(String), message: issue.message, zod: JSON.stringify(issue)}));

export const wasmChecks = ({name, manifest, config}: Admitted): Checked => {
	const {actions = {}} = manifest;
	const inputs = new Map(Object.entries(actions).map(([action, {input}]) => [action, schemaOf(input)]));
	return {
		loaded(said) {
			if ('failure' in said) return said;
			const checked = manifest.config ? schemaOf(manifest.config).safeParse(config) : undefined;
			return {
				...said,
				...(manifest.config && {config: manifest.config}),
				actions: Object.fromEntries(
					Object.entries(actions).map(([action, deed]) => [action, {...deed, description: deed.description ?? ''}]),
				),
				issues: [...(checked?.error ? issuesOf(checked.error) : []), ...said.issues],
			};
		},
		action(action, input) {
			const schema = inputs.get(action);
			if (!schema) throw new GatewayError('not_found', `The plugin ${name} has no action "${action}".`, {plugin: name});
			const {error} = schema.safeParse(JSON.parse(input));
			if (!error) return;
			throw new GatewayError('invalid_request', issuesOf(error).map(issueWords).join('; '), {plugin: name});
		},
	};
};
