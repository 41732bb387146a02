import type {LoadedConfig} from './config.ts';
import {play} from './replay/play.ts';
import {type Asked, recorded} from './replay/recorded.ts';
import {openStage} from './replay/stage.ts';
import {openTally, type Report} from './replay/tally.ts';

export type {Report};

export type ReplayOptions = Asked & {
	/** The journal that is read. */
	folder: string;
	/** Most exchanges that are asked about, from the first on. */
	most: number;
	/** Of each kind of change. */
	examples: number;
	/** A store that plugins' own storage is copied from. */
	kvFrom?: string | undefined;
};

/**
 * What the plugins of this config would have made of exchanges that are over: each is asked again, at the time it was, on a ledger that begins
 * empty. Nothing is sent, and nothing is written but into a folder that is deleted. Rejects with ConfigError where the plugins do not start.
 */
export const replay = async (loaded: LoadedConfig, {folder, most, examples, kvFrom, ...asked}: ReplayOptions): Promise<Report> => {
	const stage = await openStage(loaded, {kvFrom});
	try {
		const tally = openTally(stage, examples);
		let left = most;
		for await (const record of recorded(folder, asked)) {
			if (left-- <= 0) break;
			const {outcome, error} = record;
			const byOthers = outcome === 'denied' && !(error?.plugin !== undefined && stage.names.has(error.plugin));
			if (byOthers) {
				tally.leaveOut('refusedByOthers');
				continue;
			}
			const [played] = await Promise.allSettled([play(record, stage)]);
			if (played.status === 'fulfilled') tally.add(record, played.value);
			else tally.leaveOut('notUnderstood');
		}
		return tally.report();
	} finally {
		await stage.close();
	}
};
