import {randomBytes} from 'node:crypto';
import {link, mkdir, open, readFile, rm} from 'node:fs/promises';
import {join} from 'node:path';
import * as z from 'zod';
import {GatewayError} from '../errors.ts';
import {segmentsOf} from '../journal/segments.ts';

export type ProcessIdentity = {
	/** What `openStore` takes as `process`. */
	process: string;
	/** Whether the journal is older than names of processes are, and a store's nameless rows are its own. */
	inherits: boolean;
};

const fileName = 'process.json';
/** The only chain that a release without names of processes wrote. */
const firstChain = '0';
const stored = z.strictObject({id: z.string().regex(/^[\w-]{8,64}$/), inherits: z.boolean()});

const failed = (folder: string, cause: unknown) =>
	new GatewayError('store_unavailable', `${join(folder, fileName)} cannot be read or made.`, {cause});

const isThere = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'EEXIST';
const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT';

/** Whole or not at all, and the first one's when two make it at once. */
const make = async (folder: string): Promise<void> => {
	const id = randomBytes(9).toString('base64url');
	const draft = join(folder, `${fileName}.${id}`);
	const inherits = (await segmentsOf(folder, firstChain)).length > 0;
	const file = await open(draft, 'wx', 0o640);
	try {
		await file.writeFile(`${JSON.stringify({id, inherits})}\n`);
		await file.sync();
	} finally {
		await file.close();
	}
	try {
		await link(draft, join(folder, fileName));
	} catch (error) {
		if (!isThere(error)) throw error;
	} finally {
		await rm(draft);
	}
};

const read = async (folder: string) => stored.parse(JSON.parse(await readFile(join(folder, fileName), 'utf8')));

/**
 * Names the process that writes a chain of the journal in `folder`: the same for as long as that journal is there, and no other's,
 * on this machine or elsewhere, since what a store has of a process counts that journal's records. Makes the folder and, in it,
 * `process.json` on the first call: whoever copies a journal for a second gateway must not copy that. Rejects with `store_unavailable`.
 */
export const processOf = async (folder: string, chain = firstChain): Promise<ProcessIdentity> => {
	try {
		await mkdir(folder, {recursive: true, mode: 0o750});
		const {id, inherits} = await read(folder).catch(async error => {
			if (!isMissing(error)) throw error;
			await make(folder);
			return read(folder);
		});
		return {process: `${id}.${chain}`, inherits: inherits && chain === firstChain};
	} catch (error) {
		throw failed(folder, error);
	}
};
