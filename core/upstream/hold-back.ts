import {GatewayError} from '../errors.ts';

/** What a guard says about the text it was shown. `clear` counts its leading characters (UTF-16 units) that may go on, as they are or as `replacement`. */
export type Clearance = {clear?: number; replacement?: string; cut?: undefined} | {cut: GatewayError};

export type Guard = {
	/** For messages: the plugin's name. */
	name?: string;
	/** Asked when so many new characters are there, and when a channel ends; 0: at every push. */
	chars: number;
	/** Characters held back, of text shown before, by an answer without `clear`. */
	overlap: number;
	/** New characters are shown at the latest after this time, however few they are. */
	flushMs?: number;
	ask(channel: number, text: string, final: boolean): Clearance | Promise<Clearance>;
};

export type HoldBack = {
	/**
	 * What every guard has cleared by now, in order; the rest is held. A promise only if a guard answered with one, and then for every
	 * push until it settles. Throws (or rejects) with the guard's `cut`, or `plugin_failed`; nothing comes out after that.
	 */
	push(channel: number, text: string): string | Promise<string>;
	/** Ends a channel, after a last text: everything the guards let through of what was held. */
	finish(channel: number, text?: string): string | Promise<string>;
	/** Milliseconds until a guard has to be shown what it has not seen; undefined where each has seen everything. */
	dueInMs(): number | undefined;
	/** The channels with text that some guard should have been shown by now. */
	overdue(): number[];
	/** Shows what is overdue on a channel: what every guard has cleared of it. */
	flush(channel: number): string | Promise<string>;
	/** All that guards have not been shown yet is overdue. */
	hurry(): void;
	/** Channels that were pushed to and are not finished. */
	open(): number[];
};

/** What one guard has not cleared yet of one channel; the last `fresh` characters it has not been shown either, since `since`. */
type Cell = {held: string; fresh: number; since: number};
type Lane = {cells: Cell[]; half: string; hurried: boolean};

/** A provider that opens more in one answer is not answering a question. */
const mostChannels = 1_024;

/** What all guards together may hold of one answer, in characters, however many channels it has. */
const mostHeld = 4_000_000;

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;

/** `at` cuts a surrogate pair of `text` in two. */
const splitsPair = (text: string, at: number): boolean => {
	if (at <= 0 || at >= text.length || !isHighSurrogate(text.charCodeAt(at - 1))) return false;
	const next = text.charCodeAt(at);
	return next >= 0xdc00 && next <= 0xdfff;
};

const broken = (guard: Guard, what: string): GatewayError =>
	new GatewayError('plugin_failed', 'A plugin that watches the answer could not answer.', {plugin: guard.name, cause: what});

const clearOf = (guard: Guard, held: string, answer: {clear?: number; replacement?: string}, final: boolean): number => {
	const {clear, replacement} = answer;
	if (clear === undefined) {
		if (final) return held.length;
		if (replacement !== undefined) throw broken(guard, 'replaced text without saying how much of it (clear)');
		return Math.max(0, held.length - guard.overlap);
	}
	if (!Number.isInteger(clear) || clear < 0 || clear > held.length) throw broken(guard, `cleared ${clear} of ${held.length} characters`);
	return clear;
};

/** Takes an answer: what goes on to the next guard. What is neither cleared nor held for later (`final`) is dropped. */
const settle = (guard: Guard, cell: Cell, answer: Clearance, final: boolean): string => {
	if (answer.cut !== undefined) throw answer.cut;
	const {held} = cell;
	const {replacement} = answer;
	let clear = clearOf(guard, held, answer, final);
	const left = held.length - clear;
	if (!final && left > guard.chars + guard.overlap)
		throw broken(guard, `held back ${left} characters, more than ${guard.chars} + ${guard.overlap}`);
	if (splitsPair(held, clear)) {
		if (replacement !== undefined) throw broken(guard, 'replaced half a character');
		clear--;
	}
	cell.held = final ? '' : held.slice(clear);
	cell.fresh = 0;
	return replacement ?? (clear === held.length ? held : held.slice(0, clear));
};

/**
 * The hold-back window: text deltas on numbered channels go in, and only what every guard of the list has cleared comes out, whatever
 * the chunking. Each guard sees what the one before let through, with what it has not cleared itself in front.
 */
export const holdBack = (guards: readonly Guard[], now: () => number = () => performance.now()): HoldBack => {
	const lanes = new Map<number, Lane>();
	let held = 0;
	let failure: GatewayError | undefined;
	/** The last push that is still waiting for a guard: later ones queue behind it. */
	let tail: Promise<string> | undefined;

	const failing = (thrown: unknown, guard: Guard): GatewayError => {
		failure ??= thrown instanceof GatewayError ? thrown : broken(guard, String(thrown));
		return failure;
	};

	const laneOf = (channel: number): Lane => {
		const known = lanes.get(channel);
		if (known !== undefined) return known;
		if (lanes.size >= mostChannels) {
			failure = new GatewayError('upstream_malformed', `The answer has more than ${mostChannels} parts.`);
			throw failure;
		}
		const lane = {cells: guards.map(() => ({held: '', fresh: 0, since: 0})), half: '', hurried: false};
		lanes.set(channel, lane);
		return lane;
	};

	const add = (cell: Cell, text: string): void => {
		if (text === '') return;
		if (cell.fresh === 0) cell.since = now();
		cell.held += text;
		cell.fresh += text.length;
		held += text.length;
		if (held <= mostHeld) return;
		failure = new GatewayError('upstream_too_large', 'The answer comes faster than the plugins that watch it can clear it.');
		throw failure;
	};

	const take = (guard: Guard, cell: Cell, answer: Clearance, final: boolean): string => {
		const before = cell.held.length;
		const out = settle(guard, cell, answer, final);
		held -= before - cell.held.length;
		return out;
	};

	const isDue = ({flushMs}: Guard, {fresh, since}: Cell): boolean => fresh > 0 && flushMs !== undefined && now() - since >= flushMs;

	/** Shows `text` to the guards from the `from`th on. */
	const run = (lane: Lane, channel: number, text: string, final: boolean, from: number): string | Promise<string> => {
		let passing = text;
		for (let index = from; index < guards.length; index++) {
			const guard = guards[index]!;
			const cell = lane.cells[index]!;
			try {
				add(cell, passing);
				const isReady = final || (cell.fresh > 0 && (lane.hurried || cell.fresh >= guard.chars)) || isDue(guard, cell);
				if (!isReady) {
					passing = '';
					continue;
				}
				const answer = guard.ask(channel, cell.held, final);
				if (answer instanceof Promise) return later(lane, channel, answer, final, index);
				passing = take(guard, cell, answer, final);
			} catch (thrown) {
				throw failing(thrown, guard);
			}
		}
		lane.hurried = false;
		return passing;
	};

	const later = async (lane: Lane, channel: number, asked: Promise<Clearance>, final: boolean, index: number): Promise<string> => {
		const guard = guards[index]!;
		let passing: string;
		try {
			passing = take(guard, lane.cells[index]!, await asked, final);
		} catch (thrown) {
			throw failing(thrown, guard);
		}
		return run(lane, channel, passing, final, index + 1);
	};

	const enter = (channel: number, text: string, final: boolean): string | Promise<string> => {
		if (failure !== undefined) throw failure;
		if (text === '' && !final) return '';
		if (final && text === '' && !lanes.has(channel)) return '';
		const lane = laneOf(channel);
		let whole = lane.half === '' ? text : lane.half + text;
		lane.half = '';
		if (final) lanes.delete(channel);
		else if (isHighSurrogate(whole.charCodeAt(whole.length - 1))) {
			lane.half = whole.slice(-1);
			whole = whole.slice(0, -1);
		}
		return run(lane, channel, whole, final, 0);
	};

	const show = (channel: number): string | Promise<string> => {
		if (failure !== undefined) throw failure;
		const lane = lanes.get(channel);
		return lane === undefined ? '' : run(lane, channel, '', false, 0);
	};

	const inOrder = (work: () => string | Promise<string>): string | Promise<string> => {
		const out = tail === undefined ? work() : tail.then(work);
		if (typeof out === 'string') return out;
		const mine = out.finally(() => {
			if (tail === mine) tail = undefined;
		});
		tail = mine;
		return mine;
	};

	return {
		push: (channel, text) => inOrder(() => enter(channel, text, false)),
		finish: (channel, text = '') => inOrder(() => enter(channel, text, true)),
		dueInMs() {
			let soonest: number | undefined;
			for (const {cells} of lanes.values()) {
				for (const [index, {fresh, since}] of cells.entries()) {
					const {flushMs} = guards[index]!;
					if (fresh === 0 || flushMs === undefined) continue;
					const left = Math.max(0, since + flushMs - now());
					if (soonest === undefined || left < soonest) soonest = left;
				}
			}
			return soonest;
		},
		overdue: () =>
			[...lanes]
				.filter(([, {cells, hurried}]) => cells.some((cell, index) => (hurried && cell.fresh > 0) || isDue(guards[index]!, cell)))
				.map(([channel]) => channel),
		flush: channel => inOrder(() => show(channel)),
		hurry() {
			for (const lane of lanes.values()) lane.hurried = lane.cells.some(({fresh}) => fresh > 0);
		},
		open: () => [...lanes.keys()],
	};
};
