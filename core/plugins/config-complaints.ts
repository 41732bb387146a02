import {join} from 'node:path';
import * as z from 'zod';
import {explain} from '../config/explain.ts';
import type {Complaint} from '../config/problems.ts';
import {isPath} from '../config/resolve.ts';
import type {LoadedConfig} from '../config.ts';
import type {Loaded} from '../sandbox/isolate.ts';

type Issue = Loaded['issues'][number];
type Place = {config: Pick<LoadedConfig['config'], 'plugins'>; index: number; name: string};

const steps = (path: readonly string[]): (string | number)[] => path.map(step => (/^\d+$/.test(step) ? Number(step) : step));

/** Of a plugin's config as if it stood alone in a gateway's: so that its keys are known where they are looked for. */
const within = (schema: unknown): z.ZodType => {
	try {
		const config = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);
		return z.object({plugins: z.array(z.object({config}))});
	} catch {
		// A schema that has no JSON Schema: only the names that would have been near are missing.
		return z.unknown();
	}
};

/** What zod found, in words that somebody can act on; undefined where what came over the wall is no issue of zod's. */
const inOurWords = ({zod}: Issue, {config, index}: Place, schema: unknown): Complaint[] | undefined => {
	if (zod === undefined) return undefined;
	try {
		const issue = JSON.parse(zod) as z.core.$ZodIssue;
		const placed = {...issue, path: ['plugins', index, 'config', ...issue.path]} as z.core.$ZodIssue;
		return explain(new z.ZodError([placed]), config, within(schema));
	} catch {
		return undefined;
	}
};

/** The shipped config is an example of the gateway's own fields, and no names are known where the schema tells none. */
const saysNothing = /shipped gateway\.config\.ts|^Known here: \.$/;

/** What a plugin has against its config, each at its place in the gateway's. */
export const configComplaints = ({issues, config: schema}: Loaded, place: Place): Complaint[] => {
	const {config, index, name} = place;
	const {use} = config.plugins[index]!;
	const readme = `${isPath(use) ? join(use, 'README.md') : `plugins/${name}/README.md`} describes its config.`;
	return issues.flatMap((issue): Complaint[] => {
		const plain: Complaint = {path: ['plugins', index, 'config', ...steps(issue.path)], at: 'value', message: issue.message, mend: readme};
		const told = inOurWords(issue, place, schema) ?? [plain];
		return told.map(complaint => (saysNothing.test(complaint.mend) ? {...complaint, mend: readme} : complaint));
	});
};
