import type {RunBody} from '../host/frames.ts';
import type {Run} from '../tier.ts';
import type {Host} from './host.ts';

/** Consecutive members of a run that live in one host, from place `start` up to `end`. */
export type Segment = {
	host: Host;
	start: number;
	end: number;
	run: RunBody /** Which of the run's values they read; undefined for all. */;
	used?: number[];
};

/** Cuts runs into segments, again when plugins have moved. */
export const openSegments = (hostOf: (plugin: string) => Host) => {
	let known = new Map<number, Segment[]>();
	let ids = 0;

	const segment = (run: Run, start: number, end: number): Segment => {
		const whole = start === 0 && end === run.members.length;
		const places = run.members.slice(start, end).map(({name}, index) => ({plugin: name, positions: run.positions[start + index]!}));
		const used = [...new Set(places.flatMap(({positions}) => positions))].sort((a, b) => a - b);
		const members = whole
			? places
			: places.map(({plugin, positions}) => ({plugin, positions: positions.map(position => used.indexOf(position))}));
		return {
			host: hostOf(run.members[start]!.name),
			start,
			end,
			run: {id: ++ids, hook: run.hook, everyone: run.everyone, members},
			...(!whole && {used}),
		};
	};

	return {
		of(run: Run): Segment[] {
			const cut = known.get(run.id);
			if (cut) return cut;
			const made: Segment[] = [];
			let start = 0;
			for (let end = 1; end <= run.members.length; end++) {
				const last = end === run.members.length;
				if (!last && hostOf(run.members[end]!.name) === hostOf(run.members[start]!.name)) continue;
				made.push(segment(run, start, end));
				start = end;
			}
			known.set(run.id, made);
			return made;
		},
		/** Plugins have moved. */
		forget(): void {
			known = new Map();
		},
	};
};
