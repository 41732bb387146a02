import {setImmediate as nextTurn} from 'node:timers/promises';
import type {HoldBack} from '../upstream/hold-back.ts';
import {type JsonPart, readJson, written} from './json-stream.ts';
import {heard, joined, type Piece, whenThere} from './pieces.ts';
import type {Carries} from './window-guard.ts';

/** A string that grows from event to event. */
export type Strand = {
	/** What goes on of it by now. */
	push(text: string): Piece;
	/** The rest of it, after a last text. */
	finish(text: string): Piece;
};

export type Clearing = {
	/** A string that is complete. */
	whole(text: string, carries: Carries): Piece;
	strand(channel: string, carries: Carries): Strand;
	/** One whose text is JSON: guards are shown its strings as they are meant, and what they make of them is written as JSON again. */
	jsonStrand(channel: string, carries: Carries): Strand;
	/** Names and ids: each text once in a stream. */
	names(texts: readonly string[]): Map<string, string> | Promise<Map<string, string>>;
	carries(number: number): Carries;
	/** Shows guards what they should have been shown by now; answers what goes on of which channel. */
	flush(): {channel: string; out: Piece}[];
};

/** Names of a stream that are remembered: others are asked about again. */
const mostNames = 4_096;

/** Fewer digits name nobody. */
const shortestNumber = 9;

/** So long one push may keep the thread. */
const sliceMs = 8;

const none: Carries = {from: 'assistant'};

/** Sends strings through the guards of one stream, each on a numbered channel of its own. */
export const openClearing = (held: () => HoldBack): Clearing => {
	type Lane = {channel: string; carries: Carries; writes: (text: string) => string};
	const lanes = new Map<number, Lane>();
	const cleared = new Map<string, string>();
	let numbers = 0;

	const openLane = (lane: Lane): number => {
		lanes.set(++numbers, lane);
		return numbers;
	};

	const finish = (number: number, text: string): Piece => {
		const out = held().finish(number, text);
		if (typeof out === 'string') {
			lanes.delete(number);
			return out;
		}
		return heard(out.finally(() => lanes.delete(number)));
	};

	const same = (text: string): string => text;

	const whole = (text: string, carries: Carries): Piece => finish(openLane({channel: '', carries, writes: same}), text);

	const strand = (channel: string, carries: Carries): Strand => {
		const number = openLane({channel, carries, writes: same});
		return {push: text => whenThere(held().push(number, text), same), finish: text => finish(number, text)};
	};

	const ask = async (texts: readonly string[], together: Piece): Promise<Map<string, string>> => {
		const isClear = (await together) === texts.join('\n');
		const answers = new Map<string, string>();
		for (const text of texts) answers.set(text, isClear ? text : await whole(text, {from: 'system'}));
		return answers;
	};

	const names = (texts: readonly string[]): Map<string, string> | Promise<Map<string, string>> => {
		const answers = new Map<string, string>();
		const unknown: string[] = [];
		for (const text of new Set(texts)) {
			const known = cleared.get(text);
			if (known === undefined) unknown.push(text);
			else answers.set(text, known);
		}
		if (unknown.length === 0) return answers;
		const taken = (more: ReadonlyMap<string, string>) => {
			for (const [text, out] of more) {
				answers.set(text, out);
				if (cleared.size < mostNames) cleared.set(text, out);
			}
			return answers;
		};
		// In one question, as long as nothing is found; a line of its own for each.
		const all = unknown.join('\n');
		const together = whole(all, {from: 'system'});
		if (together === all) return taken(new Map(unknown.map(text => [text, text])));
		return heard(ask(unknown, together).then(taken));
	};

	const jsonStrand = (channel: string, carries: Carries): Strand => {
		const reader = readJson();
		/** The string that is open, and the text that is none any more. */
		let open: number | undefined;
		let raw: number | undefined;
		let key = '';
		/** What has been taken is not all asked about yet; what is pushed waits for it. */
		let isSlicing = false;
		let before: Promise<string> | undefined;

		const withName = (name: string): Carries => (name === '' ? carries : {...carries, name});

		const named = (text: string): Piece => {
			const answers = names([text]);
			return answers instanceof Map ? answers.get(text)! : heard(answers.then(all => all.get(text)!));
		};

		const pieceOf = (part: JsonPart): Piece => {
			if (part.kind === 'plain') return part.text;
			if (part.kind === 'raw') {
				raw ??= openLane({channel, carries, writes: same});
				return whenThere(held().push(raw, part.text), same);
			}
			if (part.kind === 'number') {
				if (part.text.replace(/\D/g, '').length < shortestNumber) return part.text;
				return whenThere(whole(part.text, withName(part.name)), out => (out === part.text ? out : JSON.stringify(out)));
			}
			if (part.kind === 'key') {
				key += part.text;
				if (!part.ends) return '';
				const text = key;
				key = '';
				return text === '' ? '' : whenThere(named(text), written);
			}
			open ??= openLane({channel, carries: withName(part.name), writes: written});
			if (!part.ends) return whenThere(held().push(open, part.text), written);
			const number = open;
			open = undefined;
			return whenThere(finish(number, part.text), written);
		};

		/** Many strings are many questions: whoever shares this thread gets a turn between two slices of them. */
		const inSlices = (parts: readonly JsonPart[], atEnd: () => Piece = () => ''): Piece => {
			const until = performance.now() + sliceMs;
			const pieces: Piece[] = [];
			for (const [at, part] of parts.entries()) {
				pieces.push(pieceOf(part));
				isSlicing = performance.now() > until;
				if (!isSlicing) continue;
				const rest = parts.slice(at + 1);
				return joined([...pieces, heard(nextTurn().then(() => inSlices(rest, atEnd)))]);
			}
			isSlicing = false;
			return joined([...pieces, atEnd()]);
		};

		const inTurn = (work: () => Piece): Piece => {
			const out = before ? heard(before.then(work)) : work();
			if (typeof out === 'string' || !(before || isSlicing)) return out;
			const mine = heard(
				out.finally(() => {
					if (before === mine) before = undefined;
				}),
			);
			before = mine;
			return mine;
		};

		return {
			push: text => inTurn(() => inSlices(reader.push(text))),
			finish: text => inTurn(() => inSlices([...reader.push(text), ...reader.end()], () => (raw === undefined ? '' : finish(raw, '')))),
		};
	};

	return {
		whole,
		strand,
		jsonStrand,
		names,
		carries: number => lanes.get(number)?.carries ?? none,
		flush: () =>
			held()
				.overdue()
				.flatMap(number => {
					const lane = lanes.get(number);
					return lane ? [{channel: lane.channel, out: whenThere(held().flush(number), lane.writes)}] : [];
				}),
	};
};
