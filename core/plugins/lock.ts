import {readFile, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import * as z from 'zod';
import type {Complaint} from '../config/problems.ts';
import type {Admitted} from './tier.ts';

const locked = z.strictObject({
	version: z.string(),
	digest: z.string(),
	tier: z.enum(['inline', 'process']),
	capabilities: z.array(z.string()),
});
const lockFile = z.strictObject({lock: z.literal(1), plugins: z.record(z.string(), locked)});
type Locked = z.output<typeof locked>;

/** `gateway.lock.json`, beside the config. */
export const lockOf = (configFile: string): string => join(dirname(configFile), 'gateway.lock.json');

const entryOf = ({manifest, digest, tier}: Admitted): Locked => ({
	version: manifest.version,
	digest,
	tier,
	capabilities: [...manifest.capabilities].sort(),
});

/** Pins what every plugin is and may use, as it is now. */
export const writeLock = async (configFile: string, admitted: readonly Admitted[]): Promise<string> => {
	const file = lockOf(configFile);
	const plugins = Object.fromEntries(admitted.map(plugin => [plugin.name, entryOf(plugin)]));
	await writeFile(file, `${JSON.stringify({lock: 1, plugins}, null, '\t')}\n`);
	return file;
};

const differences = (was: Locked, is: Locked): string[] => {
	const more = is.capabilities.filter(capability => !was.capabilities.includes(capability));
	return [
		...(was.digest === is.digest ? [] : [`its digest was ${was.digest} (${was.version}) and is ${is.digest} (${is.version})`]),
		...(more.length > 0 ? [`it asks for more: ${more.join(', ')}`] : []),
		...(was.tier === 'process' && is.tier === 'inline' ? ['it was in a process of its own and would be inline'] : []),
	];
};

const mend = "Read what changed; if it is meant, run 'npx sallyport plugins lock'.";

/** What differs from the lock, if there is one: code that changed, or asks for more, does not start unseen. Throws when the file is not a lock. */
export const lockComplaints = async (configFile: string, admitted: readonly Admitted[]): Promise<Complaint[]> => {
	let text: string;
	try {
		text = await readFile(lockOf(configFile), 'utf8');
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
		throw error;
	}
	const {success, data} = lockFile.safeParse(JSON.parse(text));
	if (!success) throw new Error(`${lockOf(configFile)} is not a lock of this release. Run 'npx sallyport plugins lock'.`);
	return admitted.flatMap((plugin, index): Complaint[] => {
		const at = {path: ['plugins', index, 'use'], at: 'value'} as const;
		const was = Object.hasOwn(data.plugins, plugin.name) ? data.plugins[plugin.name] : undefined;
		if (!was) return [{...at, message: `${plugin.name} is not in gateway.lock.json`, mend}];
		return differences(was, entryOf(plugin)).map(difference => ({
			...at,
			message: `${plugin.name} is not what was locked: ${difference}`,
			mend,
		}));
	});
};
