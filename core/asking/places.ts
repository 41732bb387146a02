import {GatewayError} from '../errors.ts';

type Options = {
	/** Most that are taken at a time: in all, and for one name. */
	most: number;
	mostForOne: number;
	/** Most that wait for one: in all, and for one name. */
	mostWaiting: number;
	mostWaitingForOne: number;
};

export type Places = {
	/**
	 * Resolves, in the order of asking, with what gives the place back; a name that has all of its own lets others go first. Rejects with
	 * `rate_limited` where too many wait, and where none was free `withinMs`.
	 */
	take(name: string, withinMs: number): Promise<() => void>;
};

const counting = () => {
	const counts = new Map<string, number>();
	let all = 0;
	return {
		get all() {
			return all;
		},
		of: (name: string): number => counts.get(name) ?? 0,
		add(name: string, by: 1 | -1): void {
			all += by;
			const count = (counts.get(name) ?? 0) + by;
			if (count > 0) counts.set(name, count);
			else counts.delete(name);
		},
	};
};

export const openPlaces = ({most, mostForOne, mostWaiting, mostWaitingForOne}: Options): Places => {
	const taken = counting();
	const waiting = counting();
	const queue = new Set<{name: string; go: () => void}>();

	const isFree = (name: string): boolean => taken.all < most && taken.of(name) < mostForOne;

	const taking = (name: string): (() => void) => {
		taken.add(name, 1);
		let held = true;
		return () => {
			if (!held) return;
			held = false;
			taken.add(name, -1);
			for (const next of queue) {
				if (taken.all >= most) return;
				if (isFree(next.name)) next.go();
			}
		};
	};

	return {
		take(name, withinMs) {
			if (isFree(name)) return Promise.resolve(taking(name));
			if (waiting.all >= mostWaiting || waiting.of(name) >= mostWaitingForOne)
				return Promise.reject(new GatewayError('rate_limited', 'Too many questions wait to be asked.'));
			return new Promise((resolve, reject) => {
				const leave = (): void => {
					clearTimeout(timer);
					queue.delete(one);
					waiting.add(name, -1);
				};
				const late = (): void => {
					leave();
					reject(new GatewayError('rate_limited', `As many questions as may be under way were under way for ${withinMs} ms.`));
				};
				const timer = setTimeout(late, withinMs);
				const one = {
					name,
					go: () => {
						leave();
						resolve(taking(name));
					},
				};
				queue.add(one);
				waiting.add(name, 1);
			});
		},
	};
};
